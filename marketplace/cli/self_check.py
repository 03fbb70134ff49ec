"""`marketplace self-check`: everything that must hold, asked of the database."""

import click

from marketplace import audit, outbox
from marketplace.billing import queries as billing
from marketplace.cli.frame import Workspace
from marketplace.cli.product import started
from marketplace.db import transaction
from marketplace.ledger import queries as ledger
from marketplace.payouts import queries as payouts
from marketplace.quality import queries as quality
from marketplace.reconciliation.queries import invariants as statements
from marketplace.review import queries as review
from marketplace.routing import queries as routing
from marketplace.specialists import queries as specialists
from marketplace.specialists import service as evidence
from marketplace.work import queries as work

# Each answers with one sentence for each thing that is broken.
CHECKS = {
    "the ledger's invariants": ledger.broken_invariants,
    "the ledger's chain": ledger.broken_links,
    "the ledger's days": ledger.broken_days,
    "tasks, seats and claims": work.broken_invariants,
    "who was given work": routing.broken_invariants,
    "credentials and decisions on them": specialists.broken_invariants,
    "skill and what is believed": quality.broken_invariants,
    "what work earned": review.broken_invariants,
    "top-ups": billing.broken_invariants,
    "payouts": payouts.broken_invariants,
    "statements and matches": statements.broken_invariants,
    "the chains of facts": outbox.broken_chains,
    "the audit trail's chain": audit.broken_chain,
}


def missing_evidence() -> list[str]:
    """A sentence for each evidence file that is gone without having been destroyed."""
    missing: list[str] = []
    after = None
    while True:
        with transaction() as session:
            files = specialists.files_kept(session, after=after)
        missing += evidence.files_missing(files)
        if not files:
            return missing
        after = files[-1].id


@click.command("self-check")
@click.pass_obj
def self_check(workspace: Workspace) -> None:
    """Print what is broken, and end with 1 when anything is."""
    broken: list[str] = []
    with started(workspace):
        for what, check in CHECKS.items():
            with transaction() as session:
                found = check(session)
            broken += found
            click.echo(f"{what}: {len(found) or 'nothing'} broken", err=True)
        missing = missing_evidence()
        broken += missing
        click.echo(f"evidence files: {len(missing) or 'nothing'} missing", err=True)
    for sentence in broken:
        click.echo(sentence)
    if broken:
        raise click.exceptions.Exit(1)
