"""`marketplace ledger`: the auditor's file, and the trial balance."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TextIO

import click
from sqlalchemy.orm import Session

from marketplace.actor import SYSTEM
from marketplace.cli.frame import Workspace
from marketplace.cli.product import started
from marketplace.db import transaction
from marketplace.ledger import queries
from marketplace.ledger.queries import TrialRow
from marketplace.money import Money
from marketplace.reconciliation.queries import stripe_assertions

PAGE = 1_000


@click.group()
def ledger() -> None:
    """Read the book; nothing here changes it."""


@contextmanager
def _book(workspace: Workspace) -> Iterator[tuple[Session, str]]:
    """A session on the product's database, and the book's zone."""
    with started(workspace) as settings, transaction() as session:
        yield session, settings.book_timezone


@ledger.command()
@click.option(
    "--format", "form", type=click.Choice(["beancount"]), default="beancount", show_default=True
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="The file to write; standard output without it.",
)
@click.pass_obj
def export(workspace: Workspace, *, form: str, output: Path | None) -> None:
    """Write the whole book for an outside program to check, such as bean-check."""
    del form  # There is one so far.
    with _book(workspace) as (session, zone), _opened(output) as file:
        assertions = stripe_assertions(session, SYSTEM, zone)
        for line in queries.beancount(session, SYSTEM, assertions):
            file.write(f"{line}\n")


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    # Whole or not at all: a book cut short would still pass the auditor.
    draft = output.with_name(f".{output.name}.part")
    with draft.open("w", encoding="utf-8") as file:
        yield file
    draft.rename(output)


@ledger.command("trial-balance")
@click.option("--at", type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]), help="An instant with offset.")
@click.pass_obj
def trial_balance(workspace: Workspace, *, at: datetime | None) -> None:
    """Print every account with its debit or credit, and the totals of each currency."""
    with _book(workspace) as (session, _):
        width = 0
        for row in _rows(session, at):
            width = max(width, len(row.code))
            click.echo(f"{row.code:<{max(width, 60)}} {_figure(row.debit)} {_figure(row.credit)}")
        for currency, total in queries.trial_totals(session, SYSTEM, at).items():
            name = f"Total {currency}"
            click.echo(f"{name:<{max(width, 60)}} {_figure(total.debit)} {_figure(total.credit)}")


def _rows(session: Session, at: datetime | None) -> Iterator[TrialRow]:
    after = ""
    while page := queries.trial_balance(session, SYSTEM, at, after=after, limit=PAGE):
        yield from page
        after = page[-1].code


def _figure(amount: Money | None) -> str:
    return f"{amount.decimal() if amount is not None else '':>18}"
