"""Writing the routes and labels of a pipeline, a hundred thousand at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias
from uuid import UUID

import numpy as np
import numpy.typing as npt
import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.quality.queries import Routed
from marketplace.quality.rules.pipeline import REASONS, ROUTES, Floats, Plan
from marketplace.quality.rules.pipeline_votes import Question

Places: TypeAlias = npt.NDArray[np.intp]
ROWS_AT_ONCE = 10_000
ROUTE_COPY = """COPY pipeline_item (item_id, job_id, position, slice, route, reason, confidence,
    inclusion, stratum, round) FROM STDIN"""
# A label that says the same as before is not written again.
LABEL_WRITE = text(
    """INSERT INTO pipeline_label AS l (item_id, unit, job_id, label, confidence, humans, models)
    SELECT item_id, unit, :job_id, label, confidence, humans, models
    FROM unnest(cast(:items AS uuid[]), cast(:units AS text[]), cast(:labels AS text[]),
        cast(:confidences AS float8[]), cast(:humans AS int8[]), cast(:models AS int8[]))
      AS x(item_id, unit, label, confidence, humans, models)
    ON CONFLICT (item_id, unit) DO UPDATE SET label = excluded.label,
      confidence = excluded.confidence, humans = excluded.humans, models = excluded.models
    WHERE (l.label, l.confidence, l.humans, l.models)
      IS DISTINCT FROM (excluded.label, excluded.confidence, excluded.humans, excluded.models)"""
)
ROUTE_WRITE = text(
    """UPDATE pipeline_item i SET route = x.route, reason = x.reason, inclusion = x.inclusion,
      stratum = x.stratum, round = x.round
    FROM unnest(cast(:positions AS int8[]), cast(:routes AS text[]), cast(:reasons AS text[]),
        cast(:inclusions AS float8[]), cast(:strata AS int8[]), cast(:rounds AS int8[]))
      AS x(position, route, reason, inclusion, stratum, round)
    WHERE i.job_id = :job_id AND i.position = x.position"""
)


def add_routes(
    session: Session,
    job_id: UUID,
    item_ids: Sequence[UUID],
    first: int,
    new: Routed,
) -> None:
    """Write the routes of new items, whose positions begin at `first`."""
    session.flush()
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)  # noqa: S101 - the only driver we use.
    plan = new.plan
    with connection.cursor() as cursor, cursor.copy(ROUTE_COPY) as copy:
        for at, item_id in enumerate(item_ids):
            copy.write_row(
                (
                    item_id,
                    job_id,
                    first + at,
                    int(new.slices[at]),
                    ROUTES[plan.routes[at]].value,
                    REASONS[plan.reasons[at]].value,
                    float(new.confidence[at]),
                    float(plan.inclusion[at]),
                    int(plan.strata[at]),
                    int(plan.rounds[at]),
                )
            )


def change_routes(session: Session, job_id: UUID, before: Plan, after: Plan) -> int:
    """Write the routes, chances and strata that a round changed; how many."""
    changed = np.flatnonzero(
        (before.routes != after.routes)
        | (before.inclusion != after.inclusion)
        | (before.strata != after.strata)
    )
    for places in _parts(changed):
        session.execute(
            ROUTE_WRITE,
            {
                "job_id": job_id,
                "positions": (places + 1).tolist(),
                "routes": [ROUTES[each].value for each in after.routes[places]],
                "reasons": [REASONS[each].value for each in after.reasons[places]],
                "inclusions": after.inclusion[places].tolist(),
                "strata": after.strata[places].tolist(),
                "rounds": after.rounds[places].tolist(),
            },
        )
    return len(changed)


def keep_labels(
    session: Session,
    job_id: UUID,
    item_ids: Sequence[UUID],
    questions: Sequence[Question],
    *,
    only_judged: bool,
) -> None:
    """Write what is believed of each unit; only of what specialists spoke of where they go on."""
    for question in questions:
        kept = np.flatnonzero(question.judged) if only_judged else np.arange(len(question.items))
        best = question.believed.together.argmax(axis=1)
        sure = np.minimum(question.believed.together.max(axis=1), 1.0).round(6)
        for part in _parts(kept):
            session.execute(
                LABEL_WRITE, {"job_id": job_id} | _columns(question, item_ids, best, sure, part)
            )


def _parts(places: Places) -> Iterator[Places]:
    """Places in pieces of what one statement takes."""
    for start in range(0, len(places), ROWS_AT_ONCE):
        yield places[start : start + ROWS_AT_ONCE]


def _columns(
    question: Question,
    item_ids: Sequence[UUID],
    best: Any,
    sure: Floats,
    part: Places,
) -> dict[str, Any]:
    return {
        "items": [item_ids[question.items[each]] for each in part],
        "units": [question.units[each] for each in part],
        "labels": [question.labels[best[each]] for each in part],
        "confidences": [float(sure[each]) for each in part],
        "humans": [int(question.humans[each]) for each in part],
        "models": [int(question.models[each]) for each in part],
    }
