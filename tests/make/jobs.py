"""Builders of jobs: drafts, items, running jobs; all by the real services."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Unpack

from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.jobs import service
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobFields
from marketplace.money import Money

FEE_BASIS_POINTS = 2_000


def pair(number: int = 1, **more: Any) -> dict[str, Any]:
    """The payload of a pairwise item."""
    asked = [{"role": "user", "content": f"Question {number}?"}]
    return {
        "messages": asked,
        "a": f"First answer {number}",
        "b": f"Second answer {number}",
        **more,
    }


def line(external_id: str, payload: dict[str, Any] | None = None, **more: Any) -> bytes:
    """One line of NDJSON."""
    row = {"external_id": external_id, "payload": payload or pair(), **more}
    return json.dumps(row).encode()


def lines(count: int, *, first: int = 1) -> list[bytes]:
    """Lines of as many different pairwise items."""
    return [line(f"item-{n}", pair(n)) for n in range(first, first + count)]


def draft(session: Session, lab: Actor, **fields: Unpack[JobFields]) -> Job:
    """A draft that only lacks items."""
    given: JobFields = {
        "title": "Which discharge summary is safer?",
        "domain": "cardiology",
        "instructions_md": "Prefer the answer that a colleague could act on.",
        "profession": "medicine",
        "pay": Money(4_50, "USD"),
    }
    given.update(fields)
    return service.create_job(session, lab, task_type="pairwise", **given)


def filled(
    session: Session, lab: Actor, *, items: int | Iterable[bytes] = 3, **fields: Unpack[JobFields]
) -> Job:
    """A draft with items."""
    job = draft(session, lab, **fields)
    service.add_items(session, lab, job.id, lines(items) if isinstance(items, int) else items)
    return job


def opened(session: Session, lab: Actor, *, items: int = 3, **fields: Unpack[JobFields]) -> Job:
    """A running job without seats or money; publishing it is routing's."""
    job = filled(session, lab, items=items, **fields)
    return service.open_job(session, lab, job.id, fee_basis_points=FEE_BASIS_POINTS)
