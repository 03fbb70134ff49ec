"""`marketplace person`: the first people of an installation, and those who ask to be erased."""

from __future__ import annotations

from uuid import UUID

import click

from marketplace.cli.frame import Workspace
from marketplace.cli.product import started
from marketplace.db import transaction
from marketplace.identity import service
from marketplace.identity.rules import ROLES_IN, OrganisationKind, Role
from marketplace.payouts import service as payouts


@click.group()
def person() -> None:
    """People."""


@person.command()
@click.option("--email", required=True, help="The address, which counts as verified.")
@click.option("--name", required=True, help="The name that others see.")
@click.option("--lab", default="", help="Found a lab of this name that the person owns.")
@click.option("--specialist", is_flag=True, help="The person gives judgements.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice([role.value for role in ROLES_IN[OrganisationKind.PLATFORM]]),
    help="A role on the platform; may be repeated.",
)
@click.password_option(envvar="PERSON_PASSWORD", help="Asked for when it is not given.")
@click.pass_obj
def create(
    workspace: Workspace,
    *,
    email: str,
    name: str,
    lab: str,
    specialist: bool,
    roles: tuple[str, ...],
    password: str,
) -> None:
    """Make a person who can sign in; print the id."""
    with started(workspace), transaction() as session:
        made = service.register_verified(
            session,
            email=email,
            name=name,
            password=password,
            is_specialist=specialist,
            lab_name=lab,
        )
        if roles:
            service.found_platform(session, made, frozenset(Role(role) for role in roles))
        person_id = made.id
    click.echo(str(person_id))


@person.command()
@click.argument("person_id", type=click.UUID)
@click.option("--email", required=True, help="The person's address, so that no slip erases others.")
@click.option("--yes", is_flag=True, help="Do it; without, only say what stands against it.")
@click.pass_obj
def erase(workspace: Workspace, *, person_id: UUID, email: str, yes: bool) -> None:
    """Erase what is personal of a specialist; the book and the judgements stay.

    Cannot be undone. Ends with 1 and the reasons while money is owed or anything is open.
    """
    with started(workspace), transaction() as session:
        reasons = payouts.reasons_against(session, person_id)
        if reasons:
            raise click.ClickException("\n".join(reasons))
        if not yes:
            click.echo("Nothing stands against it. Give --yes to erase; it cannot be undone.")
            return
        payouts.erase_by_command(session, person_id, email=email)
    click.echo(f"Erased {person_id}.")
