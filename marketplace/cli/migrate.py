"""`marketplace migrate`: bring the database to the newest revision, as its owner."""

import os
from importlib.resources import files
from pathlib import Path

import click
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from marketplace.cli.environment import need


@click.command()
@click.option("--undo-to", metavar="REVISION", help="Undo what came after it; `base` undoes all.")
def migrate(undo_to: str | None) -> None:
    """Migrate the database; needs OWNER_DATABASE_URL, or DATABASE_URL of its owner."""
    need(os.environ, "DATABASE_URL")
    app_url = os.environ["DATABASE_URL"]
    url = os.environ.get("OWNER_DATABASE_URL") or app_url
    try:
        if undo_to:
            downgrade(url, app_role=role_of(app_url), revision=undo_to)
        else:
            upgrade(url, app_role=role_of(app_url))
    except DBAPIError as fault:
        raise click.ClickException(f"The migration was rolled back: {fault.orig}") from fault
    except CommandError as fault:
        raise click.ClickException(f"{fault}.") from fault
    click.echo(f"The database is at {undo_to or newest_revision()}.")


def upgrade(url: str, *, app_role: str, revision: str = "head") -> None:
    """Run all migrations up to `revision` on `url`, granting new tables to `app_role`."""
    command.upgrade(_configuration(url, app_role), revision)


def downgrade(url: str, *, app_role: str, revision: str = "base") -> None:
    """Undo all migrations down to `revision`."""
    command.downgrade(_configuration(url, app_role), revision)


def newest_revision() -> str:
    """The revision that this version of the product needs."""
    found = ScriptDirectory(str(migrations_folder())).get_current_head()
    if found is None:
        raise FileNotFoundError(f"{migrations_folder()} holds no migrations.")
    return found


def migrations_folder() -> Path:
    """The migrations: inside the package when it was installed, beside it in a checkout."""
    package = Path(str(files("marketplace")))
    inside = package / "migrations"
    return inside if inside.is_dir() else package.parent / "migrations"


def role_of(url: str) -> str:
    """The role that a database address signs in as."""
    return make_url(url).username or "app"


def _configuration(url: str, app_role: str) -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    configuration.attributes.update(url=url, app_role=app_role)
    return configuration
