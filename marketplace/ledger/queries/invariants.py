"""What must always be true of the book, asked of the database; each answer names what is broken.

The numbers are those of the chart's invariants. The database's guards make them true; this asks
anyway, in full, because a restored, repaired or migrated database has passed no guard. Those that
need rows of other slices (I6, I8, I10, I11, I13, I15) are asked by those slices beside this.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.ledger.queries.checks import BOOK_CHECKS
from marketplace.ledger.queries.owners import OWNER_CHECKS

_SHOWN = 100  # Broken things of one kind that are named; more would not help to mend them.
_CHECKS: Mapping[str, str] = {**BOOK_CHECKS, **OWNER_CHECKS}


def broken_by_number(session: Session) -> dict[str, list[str]]:
    """By invariant (`I1` …), one sentence for each thing that is broken; every invariant that the
    ledger can ask alone is there, sound ones with none."""
    found: dict[str, list[str]] = {}
    for name, check in _CHECKS.items():
        rows = session.scalars(text(f"{check} LIMIT {_SHOWN}"))
        found.setdefault(name.split()[0], []).extend(rows)
    return found


def broken_invariants(session: Session) -> list[str]:
    """One sentence for each thing that is broken, with the invariant's number; empty when sound."""
    return [
        f"{number}: {sentence}"
        for number, sentences in broken_by_number(session).items()
        for sentence in sentences
    ]
