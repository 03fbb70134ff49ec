"""Rounds over rows, one a transaction: one that fails is passed over, and holds up no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.errors import Refused

# So many rows fail for a reason that is none of theirs.
FAILED_MAX = 50
FAILURES = (
    Refused, SQLAlchemyError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError,
)  # fmt: skip
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Round:
    """failed: the rows that are passed over; at: the one in hand, which whoever takes it says."""

    failed: list[UUID] = field(default_factory=list)
    at: UUID | None = None

    def let_go(self) -> None:
        """No row is in hand."""
        self.at = None


def one_by_one(take: Callable[[Session, Round], bool]) -> None:
    """Call `take` in a transaction of its own each time, until it finds nothing more.

    Where it fails with a row in hand, that row is passed over for this round. The first failure is
    raised when the others are done, so that the fault is seen and the row is tried again; at once
    where no row is in hand, the connection is lost, or too many fail.
    """
    now, more = Round(), True
    first: Exception | None = None
    while more:
        now.let_go()
        try:
            with transaction() as session:
                more = take(session, now)
        except FAILURES as failed:
            lost = isinstance(failed, DBAPIError) and failed.connection_invalidated
            if now.at is None or lost or len(now.failed) == FAILED_MAX:
                raise
            log.warning("row_passed_over", row=str(now.at), kind=type(failed).__name__)
            now.failed.append(now.at)
            first = first or failed
    if first is not None:
        raise first
