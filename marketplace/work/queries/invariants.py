"""What must always be true of tasks, seats, claims and submissions, asked of the database."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

_SHOWN = 100  # Broken things of one kind that are named; more would not help to mend them.

_CHECKS = (
    # Claims and seats say the same of who has what.
    """SELECT format('Seat %s is %s and has %s live claims.', s.id, s.state, count(c.id))
    FROM seat s LEFT JOIN claim c ON c.seat_id = s.id AND c.state = 'live'
      AND c.repeats_submission_id IS NULL
    GROUP BY s.id HAVING count(c.id) <> (s.state = 'claimed')::int""",
    """SELECT format('%s has %s claims in hand or handed in on task %s.',
                     specialist_id, count(*), task_id)
    FROM claim WHERE state IN ('live', 'submitted') AND repeats_submission_id IS NULL
    GROUP BY task_id, specialist_id HAVING count(*) > 1""",
    # Every claim has one end, and every answer is kept.
    """SELECT format('Claim %s is %s and has %s answers and %s reports.',
                     c.id, c.state, count(s.id), count(o.id))
    FROM claim c LEFT JOIN submission s ON s.claim_id = c.id
      LEFT JOIN outcome o ON o.claim_id = c.id
    GROUP BY c.id HAVING count(s.id) <> (c.state IN ('submitted', 'returned'))::int
      OR c.state = 'reported' AND count(o.id) <> 1
      OR (c.ended_at IS NULL) <> (c.state = 'live')""",
    # What counts for a task is what fills its seats, and no more than it wants.
    """SELECT format('Task %s counts %s and decided %s of %s wanted; its answers say %s and %s, '
                     '%s seats are filled and %s not closed.', t.id, t.counted, t.decided,
                     t.wanted, a.counted, a.decided, b.filled, b.kept)
    FROM task t
    JOIN LATERAL (SELECT count(*) FILTER (WHERE state IN ('submitted', 'in_review', 'accepted'))
        AS counted, count(*) FILTER (WHERE state = 'accepted') AS decided
      FROM submission WHERE task_id = t.id) a ON true
    JOIN LATERAL (SELECT count(*) FILTER (WHERE state = 'submitted') AS filled,
        count(*) FILTER (WHERE state <> 'closed') AS kept FROM seat WHERE task_id = t.id) b ON true
    WHERE t.counted > t.wanted OR t.counted <> a.counted OR t.decided <> a.decided
      OR t.counted <> b.filled OR t.dropped_at IS NOT NULL AND t.wanted <> b.kept""",
    """SELECT format('Task %s is %s with %s counted and %s decided of %s.',
                     id, state, counted, decided, wanted)
    FROM task WHERE state <> CASE WHEN counted < wanted THEN 'open'
      WHEN decided < wanted THEN 'filled' ELSE 'final' END""",
    # Nobody is asked for more judgements than money was reserved for.
    """SELECT format('Task %s has %s seats, and its job at most %s a task.',
                     s.task_id, count(*), j.overlap_max)
    FROM seat s JOIN job j ON j.id = s.job_id AND j.purpose = 'work'
    WHERE s.state <> 'closed' AND s.set_aside_at IS NULL
    GROUP BY s.task_id, j.overlap_max HAVING count(*) > j.overlap_max""",
    # What a claim copies from its seat, and an answer from its claim, is the same there.
    """SELECT format('Claim %s and its seat %s are not of one task and job.', c.id, s.id)
    FROM claim c JOIN seat s ON s.id = c.seat_id
    WHERE (c.task_id, c.job_id) IS DISTINCT FROM (s.task_id, s.job_id)""",
    """SELECT format('Submission %s and its claim %s are not of one seat, person and version.',
                     s.id, c.id)
    FROM submission s JOIN claim c ON c.id = s.claim_id
    WHERE (s.seat_id, s.task_id, s.job_id, s.specialist_id, s.template_version_id)
      IS DISTINCT FROM (c.seat_id, c.task_id, c.job_id, c.specialist_id, c.template_version_id)""",
    # A repeat repeats an answer of its own author to the same task, and counts for nothing.
    """SELECT format('Claim %s of %s repeats %s, which is not theirs or not of its task.',
                     c.id, c.specialist_id, c.repeats_submission_id)
    FROM claim c JOIN submission s ON s.id = c.repeats_submission_id
    WHERE s.specialist_id <> c.specialist_id OR s.task_id <> c.task_id""",
    """SELECT format('Submission %s repeats another and is %s.', id, state) FROM submission
    WHERE repeats_submission_id IS NOT NULL
      AND state NOT IN ('surplus', 'surplus_in_review', 'surplus_accepted', 'surplus_rejected')""",
    """SELECT format('Seat %s is open in job %s, which is closed and settled.', s.id, s.job_id)
    FROM seat s JOIN job_reserve r ON r.job_id = s.job_id AND r.settled_at IS NOT NULL
    WHERE s.state IN ('open', 'claimed')""",
    """SELECT format('%s has %s claims in hand in job %s, and the count says %s.',
                     p.person_id, count(c.id), p.job_id, p.live)
    FROM work_progress p LEFT JOIN claim c
      ON c.specialist_id = p.person_id AND c.job_id = p.job_id AND c.state = 'live'
    GROUP BY p.person_id, p.job_id HAVING count(c.id) <> p.live""",
)


def broken_invariants(session: Session) -> list[str]:
    """One sentence for each thing that is broken; empty when all is sound."""
    broken: list[str] = []
    for check in _CHECKS:
        broken += session.scalars(text(f"{check} LIMIT {_SHOWN}"))
    return broken
