"""`marketplace ledger`: the auditor's file, balances, months, heads of the chain, a search."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
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
DAY = click.DateTime(["%Y-%m-%d"])


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
@click.option("--on", type=DAY, help="The end of a day of the book, by when things took effect.")
@click.pass_obj
def trial_balance(workspace: Workspace, *, at: datetime | None, on: datetime | None) -> None:
    """Print every account with its debit or credit, and the totals of each currency."""
    day = on.date() if on else None
    with _book(workspace) as (session, _):
        width = 0
        for row in _rows(session, at, day):
            width = max(width, len(row.code))
            click.echo(f"{row.code:<{max(width, 60)}} {_figure(row.debit)} {_figure(row.credit)}")
        for currency, total in queries.trial_totals(session, SYSTEM, at, on=day).items():
            name = f"Total {currency}"
            click.echo(f"{name:<{max(width, 60)}} {_figure(total.debit)} {_figure(total.credit)}")


def _rows(session: Session, at: datetime | None, on: date | None) -> Iterator[TrialRow]:
    after = ""
    while page := queries.trial_balance(session, SYSTEM, at, on=on, after=after, limit=PAGE):
        yield from page
        after = page[-1].code


@ledger.command("roll-forward")
@click.argument("month", type=click.DateTime(["%Y-%m"]))
@click.pass_obj
def roll_forward(workspace: Workspace, *, month: datetime) -> None:
    """Print what each control account had as MONTH began, what moved it, and what it ended with."""
    with _book(workspace) as (session, _):
        for row in queries.roll_forward(session, SYSTEM, month.date()):
            name = f"{row.stem} {row.opening.currency}"
            click.echo(f"{name:<60} {_figure(row.opening)}")
            for kind, amount in row.movements.items():
                click.echo(f"  {kind.value:<58} {_figure(amount)}")
            click.echo(f"{'':<60} {_figure(row.closing)}{'' if row.ties else '  does not tie'}")


@ledger.command()
@click.pass_obj
def heads(workspace: Workspace) -> None:
    """Print the chain's head of each of the last 31 days that numbered anything.

    Kept elsewhere, it shows later whether anything before it was altered.
    """
    with _book(workspace) as (session, _):
        for day in queries.heads(session, SYSTEM):
            click.echo(f"{day.on_day} {day.last_number} {bytes(day.chain_hash).hex()}")


@ledger.command()
@click.argument("reference")
@click.pass_obj
def find(workspace: Workspace, *, reference: str) -> None:
    """Print the transactions that name REFERENCE: an id, a source, or any value of their facts."""
    with _book(workspace) as (session, _):
        for one in queries.find(session, SYSTEM, reference=reference):
            click.echo(
                f"{one.transaction_id} {one.effective_on} {one.source_kind.value} "
                f"{one.source_id} {one.amount}"
            )


def _figure(amount: Money | None) -> str:
    return f"{amount.decimal() if amount is not None else '':>18}"
