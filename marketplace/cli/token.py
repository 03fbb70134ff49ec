"""`marketplace token create`: an API token for a person, for scripts that begin on this machine."""

import click
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.cli.frame import Workspace
from marketplace.cli.product import started
from marketplace.db import transaction
from marketplace.identity import queries, service
from marketplace.identity.queries import Belonging


@click.group()
def token() -> None:
    """API tokens."""


@token.command()
@click.option("--email", required=True, help="Whose token it is.")
@click.option("--organisation", help="The organisation to act for; needed when there are several.")
@click.option("--scopes", help="Permissions by commas; without it, all that the person has.")
@click.option("--days", default=90, show_default=True, help="How long it lives.")
@click.option("--name", default="command line", show_default=True, help="What the list shows.")
@click.pass_obj
def create(
    workspace: Workspace,
    *,
    email: str,
    organisation: str | None,
    scopes: str | None,
    days: int,
    name: str,
) -> None:
    """Print a new token, alone on its line; it cannot be shown again."""
    chosen = None if scopes is None else scopes.replace(",", " ").split()
    with started(workspace), transaction() as session:
        actor = _actor(session, email, organisation)
        _, plain = service.create_token(session, actor, name=name, scopes=chosen, days=days)
    click.echo(plain)


def _actor(session: Session, email: str, organisation: str | None) -> Actor:
    person = queries.person_by_email(session, email)
    if person is None:
        raise click.ClickException(f"Nobody here has the address {email}.")
    belongings = queries.belongings(session, person.id)
    chosen = _chosen(belongings, organisation)
    return queries.actor_for(person, belongings, chosen.organisation_id if chosen else None)


def _chosen(belongings: tuple[Belonging, ...], organisation: str | None) -> Belonging | None:
    """The organisation that is meant: the named one, the only one, or none where there is none."""
    if organisation is not None:
        belongings = tuple(
            one for one in belongings if organisation in {one.name, str(one.organisation_id)}
        )
        if not belongings:
            raise click.ClickException(f"This person does not belong to {organisation}.")
    if len(belongings) > 1:
        names = ", ".join(one.name for one in belongings)
        raise click.ClickException(f"Choose one with --organisation: {names}.")
    return belongings[0] if belongings else None
