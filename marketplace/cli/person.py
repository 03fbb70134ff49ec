"""`marketplace person create`: the first people of an installation, vouched for by who runs it."""

from __future__ import annotations

import click

from marketplace.cli.frame import Workspace
from marketplace.cli.product import started
from marketplace.db import transaction
from marketplace.identity import service
from marketplace.identity.rules import ROLES_IN, OrganisationKind, Role


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
