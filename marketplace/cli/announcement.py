"""What a person reads when the stack starts and when it is ready."""

from collections.abc import Mapping
from pathlib import Path

import click

from marketplace.cli.parts import Addresses

PEOPLE = {
    "lab@demo.test": "a lab that posts jobs",
    "lab2@demo.test": "another lab",
    "doctor@demo.test": "a specialist in medicine",
    "lawyer@demo.test": "a specialist in law",
    "coder@demo.test": "a specialist in code",
    "operations@demo.test": "operations: credentials and reviews",
    "finance@demo.test": "finance: prepares payouts, reconciles",
    "approver@demo.test": "finance: approves payouts",
    "auditor@demo.test": "an auditor, who reads everything",
    "admin@demo.test": "an administrator",
}


def starting(data_dir: Path, *, first: bool) -> None:
    """One line, so that a first start of some seconds does not look dead."""
    how = "Making a new stack" if first else "Starting the stack"
    click.echo(f"{how} in {_short(data_dir)} …", err=True)


def running(
    data_dir: Path, settings: Mapping[str, str], addresses: Addresses, *, demo: bool
) -> None:
    """The addresses, and one sign-in for each kind of person in the demonstration world."""
    click.echo("")
    click.echo("The marketplace is ready.")
    click.echo("")
    click.echo(f"  Pages    {addresses.web}")
    click.echo(f"  API      {addresses.web}/api/docs")
    click.echo(f"  Mailbox  {addresses.sandbox}/mailbox")
    click.echo(f"  Stripe   {addresses.sandbox}  (a sandbox: no real money)")
    click.echo(f"  Logs     {_short(data_dir / 'logs')}")
    if demo:
        click.echo("")
        click.echo(f"Sign in with the password {settings['DEMO_PASSWORD']} as")
        for email, kind in PEOPLE.items():
            click.echo(f"  {email:<22} {kind}")
        click.echo('Approving a payout asks for a code: make cli ARGS="demo code"')
    click.echo("")
    click.echo(f"Ctrl-C stops everything; the data stays in {_short(data_dir)}.")


def _short(path: Path) -> str:
    """The path from here when it is below here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
