"""`marketplace demo-world` and `marketplace demo`: a world to try, and real judgements replayed."""

from __future__ import annotations

import os

import click

from marketplace.cli import environment
from marketplace.cli.frame import Workspace
from marketplace.cli.product import started
from marketplace.db import transaction
from marketplace.demo import people, world

DOMAIN = "@demo.test"


@click.command("demo-world")
@click.pass_obj
def demo_world(workspace: Workspace) -> None:
    """Fill the empty database of an embedded stack with a demonstration."""
    password = _password(workspace)
    with started(workspace) as settings:
        if not settings.stripe_api_base:
            raise click.ClickException("The demonstration pays with Stripe's sandbox only.")
        try:
            world.build(password, say=click.echo)
        except world.NotEmpty as refusal:
            click.echo(str(refusal), err=True)


@click.group()
def demo() -> None:
    """The demonstration: codes for its people, and real judgements replayed."""


@demo.command()
@click.argument("email", default=f"approver{DOMAIN}")
@click.pass_obj
def code(workspace: Workspace, email: str) -> None:
    """Print the code that a demonstration person's authenticator shows now."""
    if not email.endswith(DOMAIN):
        raise click.ClickException(f"Codes are read aloud for people of {DOMAIN} only.")
    _password(workspace)
    with started(workspace), transaction() as session:
        shown = people.present_code(session, email)
    click.echo(shown)


def _password(workspace: Workspace) -> str:
    """The demonstration's password, which only an embedded stack has."""
    known = environment.read(workspace.data_dir).get("DEMO_PASSWORD", "")
    password = os.environ.get("DEMO_PASSWORD", known)
    if not password:
        raise click.ClickException("The demonstration exists on an embedded stack only.")
    return password
