"""Which rationales of a job are nearly alike: by pgvector where the database has it, else here.

Both ways give the same pairs, those whose signatures have a scalar product of at least `ALIKE`;
what was compared once is not compared again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
from sqlalchemy import delete, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.quality.models import NearText, RationaleSignature
from marketplace.quality.rules.integrity import signature
from marketplace.quality.rules.integrity.copying import ALIKE, WORD, WORDS_MIN
from marketplace.statements import plain_sql
from marketplace.work.models import Submission

NEW_AT_ONCE = 200
SIGNATURES_MAX = 20_000  # The newest of a job that anything is compared with.
PAIRS_MAX = 20_000

_BY_VECTOR = """INSERT INTO near_text (submission_id, other_id, job_id)
SELECT mine.submission_id, other.submission_id, mine.job_id
FROM rationale_signature mine JOIN (SELECT * FROM rationale_signature
    WHERE job_id = %(job_id)s ORDER BY submission_id DESC LIMIT %(most)s) other
  ON other.submission_id < mine.submission_id
WHERE mine.submission_id = ANY(%(fresh)s)
  AND (mine.signature::vector) <#> (other.signature::vector) <= -(%(alike)s::float8)
LIMIT %(pairs)s ON CONFLICT DO NOTHING"""


def has_vectors(session: Session) -> bool:
    """Whether this database has pgvector."""
    asked = text("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'vector')")
    return bool(session.scalar(asked))


def sign_fresh(session: Session, job_id: UUID, *, vectors: bool | None = None) -> bool:
    """Keep the signatures of the next rationales of a job and what they are near to; False when
    there were no more. vectors: whether pgvector is used, None to see for itself."""
    known = select(RationaleSignature.submission_id).where(
        RationaleSignature.submission_id == Submission.id
    )
    rows = session.execute(
        select(Submission.id, Submission.specialist_id, Submission.rationale)
        .where(Submission.job_id == job_id, Submission.rationale.is_not(None))
        .where(Submission.repeats_submission_id.is_(None), ~known.exists())
        .order_by(Submission.id)
        .limit(NEW_AT_ONCE)
    ).all()
    if not rows:
        return False
    session.execute(insert(RationaleSignature), [_row(job_id, each) for each in rows])
    fresh = [row.id for row in rows]
    if has_vectors(session) if vectors is None else vectors:
        values = {"job_id": job_id, "fresh": fresh, "most": SIGNATURES_MAX, "pairs": PAIRS_MAX}
        plain_sql(session, _BY_VECTOR, alike=ALIKE, **values)
    else:
        _compare_here(session, job_id, fresh)
    return len(rows) == NEW_AT_ONCE


def _row(job_id: UUID, row: Any) -> dict[str, Any]:
    """Short texts get no signature: anybody may write them."""
    words = row.rationale if len(WORD.findall(row.rationale)) >= WORDS_MIN else ""
    return {
        "submission_id": row.id,
        "job_id": job_id,
        "person_id": row.specialist_id,
        "signature": signature(words).tolist(),
    }


def _compare_here(session: Session, job_id: UUID, fresh: Sequence[UUID]) -> None:
    kept = signatures_of(session, job_id)
    names = sorted(kept)
    if not names:
        return
    table = np.stack([kept[name] for name in names])
    place = {name: at for at, name in enumerate(names)}
    mine = [place[name] for name in fresh if name in place]
    alike = table[mine] @ table.T >= ALIKE
    pairs = [
        {"submission_id": names[mine[one]], "other_id": names[two], "job_id": job_id}
        for one, two in np.argwhere(alike).tolist()
        if names[two] < names[mine[one]]
    ]
    if pairs:
        session.execute(insert(NearText).on_conflict_do_nothing(), pairs[:PAIRS_MAX])


def signatures_of(session: Session, job_id: UUID) -> dict[UUID, npt.NDArray[np.float32]]:
    """The newest signatures of a job, by submission; empty texts have none."""
    rows = session.execute(
        select(RationaleSignature.submission_id, RationaleSignature.signature)
        .where(RationaleSignature.job_id == job_id)
        .order_by(RationaleSignature.submission_id.desc())
        .limit(SIGNATURES_MAX)
    )
    found = {name: np.array(values, np.float32) for name, values in rows}
    return {name: each for name, each in found.items() if each.any()}


def near_of(session: Session, job_id: UUID) -> frozenset[UUID]:
    """Submissions of a job whose rationale is near another's."""
    asked = select(NearText.submission_id, NearText.other_id).where(NearText.job_id == job_id)
    rows = session.execute(asked.limit(PAIRS_MAX))
    return frozenset(name for pair in rows for name in pair)


def forget_signatures(session: Session, submission_ids: Iterable[UUID]) -> None:
    """What some rationales were like, and near to."""
    ids = list(submission_ids)
    either = or_(NearText.submission_id.in_(ids), NearText.other_id.in_(ids))
    session.execute(delete(NearText).where(either))
    mine = RationaleSignature.submission_id.in_(ids)
    session.execute(delete(RationaleSignature).where(mine))
