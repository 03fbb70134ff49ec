"""Opening commitments: whether a row of the envelope is what its author handed in."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from marketplace.verify.report import Kind, Report
from marketplace.verify.seal import commitment_of_read, content_of, read, verdict_of
from marketplace.verify.store import HandedIn, Store

# What a table holds as JSON in a text.
OF_JSON = frozenset(
    {"judgement", "rationale_claims", "flags", "references", "ai_use", "presented_order", "spent",
     "author", "review", "payload", "prelabels", "addenda", "history", "quality"}
)  # fmt: skip


def row_of(line: object) -> dict[str, Any] | None:
    """The envelope's row in a line of JSON or a row of a table; None where it is none."""
    if isinstance(line, bytes):
        try:
            row = read(line.decode())
        except (ValueError, RecursionError):
            return None
    else:
        row = _untabled(line) if isinstance(line, dict) else None
    if not isinstance(row, dict) or not {"annotation_id", "judgement"} <= row.keys():
        return None
    return row if _by_a_person(row) else None


def _untabled(row: dict[str, Any]) -> dict[str, Any] | None:
    """The envelope in a table's row, whose objects and lists stand there as texts of JSON.

    None where they became columns: those add what a row does not have, so that it is no longer what
    was handed in; such a table has the envelope as lines beside it.
    """
    try:
        return {
            name: read(value) if name in OF_JSON and isinstance(value, str) else value
            for name, value in row.items()
            if name not in OF_JSON or value is None or isinstance(value, str)
        }
    except (ValueError, RecursionError):
        return None


def _by_a_person(row: Mapping[str, Any]) -> bool:
    author = row.get("author")
    return isinstance(author, Mapping) and author.get("kind") == "specialist"


def check_row(store: Store, report: Report, name: str, number: int, row: dict[str, Any]) -> None:
    """Compare a row with what the chain bound when it was handed in, and its verdict.

    Where the chain itself was altered, a row that does not fit it is no further fault: it only
    cannot be proven any more.
    """
    annotation_id = str(row["annotation_id"])
    known = store.handed_in(annotation_id)
    if known is None and not report.chain_holds:
        says = f"The hand-in of line {number} is not in the chain, which was altered."
        report.add(Kind.UNPROVEN, name, says, number)
    elif known is None:
        says = f"Line {number} is a judgement whose hand-in is not in the chain: {annotation_id}."
        report.add(Kind.ADDED, name, says, number)
    elif known.commitment is None:
        says = f"Line {number} was handed in before hand-ins were committed to."
        report.add(Kind.UNPROVEN, name, says, number)
    elif known.salt is None:
        says = f"The author of line {number} was erased; what they handed in cannot be opened."
        report.add(Kind.ERASED, name, says, number)
    elif not hmac.compare_digest(known.commitment, commitment_of_read(known.salt, content_of(row))):
        says = f"Line {number} is not what its author handed in (event {known.number})."
        report.add(Kind.ALTERED if report.chain_holds else Kind.UNPROVEN, name, says, number)
    else:
        report.opened += 1
        _check_verdict(store, report, (name, number), (annotation_id, known, row.get("review")))


def _check_verdict(
    store: Store, report: Report, place: tuple[str, int], said: tuple[str, HandedIn, Any]
) -> None:
    (name, number), (annotation_id, known, review) = place, said
    if not isinstance(review, Mapping) or known.salt is None:
        return
    stated = store.verdict_of(str(review.get("decision_id")))
    if stated is None:
        return
    if stated != commitment_of_read(known.salt, verdict_of(annotation_id, review)):
        says = f"The review in line {number} is not what its reviewer said."
        report.add(Kind.ALTERED if report.chain_holds else Kind.UNPROVEN, name, says, number)
    else:
        report.verdicts += 1
