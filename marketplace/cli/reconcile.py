"""`marketplace reconcile`: take statement files, compare everything, say what differs."""

from pathlib import Path

import click
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.actor import SYSTEM
from marketplace.cli.frame import Workspace
from marketplace.cli.product import started
from marketplace.db import transaction
from marketplace.errors import Refused
from marketplace.money import Money
from marketplace.reconciliation import background
from marketplace.reconciliation.models import Break, StatementSource
from marketplace.reconciliation.rules.breaks import LABELS, BreakState
from marketplace.reconciliation.rules.statements import SourceKind, account_key

SHOWN = 200
KINDS = [kind.value for kind in SourceKind if kind is not SourceKind.STRIPE_API]


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--kind", type=click.Choice(KINDS), help="What the files are; needed with files.")
@click.option("--account", help="The account's number: whose mapping reads a CSV file.")
@click.option("--currency", default="USD", show_default=True, help="That account's currency.")
@click.pass_obj
def reconcile(
    workspace: Workspace, *, files: tuple[Path, ...], kind: str | None, account: str | None,
    currency: str,
) -> None:  # fmt: skip
    """Take statement FILES of banks or reports of Stripe, then compare everything with the book.

    Prints each break that stands, and ends with 1 when a file was refused or a break stands.
    """
    if files and not kind:
        raise click.UsageError(f"Say what the files are: --kind {'|'.join(KINDS)}.")
    with started(workspace):
        form = SourceKind(kind or SourceKind.CAMT053)
        refused = [not _taken(file, form, account, currency) for file in files]
        made = background.compare_all(SYSTEM)
        for rule, count in sorted(made.counts.items()):
            click.echo(f"{rule}: {count} matched")
        with transaction() as session:
            standing = _print_breaks(session)
    if standing or any(refused):
        raise click.exceptions.Exit(1)


def _taken(file: Path, kind: SourceKind, account: str | None, currency: str) -> bool:
    """Take one file and say what it brought; False where it was refused."""
    source_id = None
    if account is not None:
        with transaction() as session:
            source_id = session.scalar(
                select(StatementSource.id).where(
                    StatementSource.account_key == account_key(account),
                    StatementSource.currency == currency,
                )
            )
    try:
        taken = background.take_statement(
            SYSTEM, file.read_bytes(), kind=kind, name=file.name, source_id=source_id
        )
    except Refused as refused:
        click.echo(f"{file.name}: {refused.message}", err=True)
        return False
    known = "was taken before" if taken.again else f"{taken.entries_new} new lines"
    click.echo(f"{file.name}: {known}, {taken.entries_known} known")
    return True


def _print_breaks(session: Session) -> int:
    """Print the breaks that stand, the oldest first; how many there are."""
    live = Break.state != BreakState.RESOLVED
    count = int(session.scalar(select(func.count()).where(live)) or 0)
    oldest = select(Break).where(live).order_by(Break.since, Break.id).limit(SHOWN)
    for row in session.scalars(oldest):
        amount = Money(row.difference_minor, row.currency)
        said = f"{LABELS[row.kind]:<30} {amount!s:>18}  {row.source} {row.key}"
        click.echo(f"{row.reference} {row.since:%Y-%m-%d} {said}")
    click.echo(f"{count or 'No'} break{'' if count == 1 else 's'}")
    return count
