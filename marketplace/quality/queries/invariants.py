"""What must always be true of skill and of what is believed, asked of the database."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

_SHOWN = 100  # Broken things of one kind that are named; more would not help to mend them.

_CHECKS = (
    # A skill holds what its evidence says, and what was learned before evidence was kept.
    """SELECT format('The skill of %s in %s (%s) counts %s pieces, and its evidence %s.',
                     s.person_id, s.domain, s.task_type, s.n, e.pieces)
    FROM skill s JOIN (SELECT person_id, domain, task_type, sum(pieces) AS pieces,
        sum(weight) AS weight, sum(weight * agreement) AS agreed
      FROM skill_evidence GROUP BY person_id, domain, task_type) e
      USING (person_id, domain, task_type)
    WHERE s.n < e.pieces OR s.weight < e.weight - 0.001 OR s."right" < e.agreed - 0.001""",
    """SELECT format('%s has evidence in %s, and no skill.', e.person_id, e.domain)
    FROM skill_evidence e LEFT JOIN skill s USING (person_id, domain, task_type)
    WHERE s.person_id IS NULL""",
    # A posterior is one: as many chances as labels, which add up to one.
    """SELECT format('What is believed of %s of task %s is no posterior.', unit, task_id)
    FROM posterior WHERE cardinality(labels) <> cardinality(probabilities)
      OR NOT label = ANY (labels)
      OR abs((SELECT sum(chance) FROM unnest(probabilities) AS chance) - 1) > 0.001""",
)


def broken_invariants(session: Session) -> list[str]:
    """One sentence for each thing that is broken; empty when all is sound."""
    broken: list[str] = []
    for check in _CHECKS:
        broken += session.scalars(text(f"{check} LIMIT {_SHOWN}"))
    return broken
