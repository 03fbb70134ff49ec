"""The product behind a command: its settings found, everything process-wide set up, then let go."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy.exc import OperationalError

from marketplace import db, factory
from marketplace.cli import environment
from marketplace.cli.frame import Workspace
from marketplace.errors import Refused
from marketplace.settings import Settings


@contextmanager
def started(workspace: Workspace) -> Iterator[Settings]:
    """The product, ready for `db.transaction()`; a refusal inside becomes the command's sentence.

    Raises ClickException also where no database is named or it does not answer.
    """
    with environment.found(workspace.data_dir) as environ:
        settings = environment.settings_from(environ)
        factory.start(settings)
        try:
            yield settings
        except Refused as refusal:
            raise click.ClickException(str(refusal)) from refusal
        except OperationalError as fault:
            raise click.ClickException(f"The database does not answer: {fault.orig}") from fault
        finally:
            db.engine().dispose()
