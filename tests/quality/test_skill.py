"""Skill as a Beta posterior, learned one verdict at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.db import transaction
from marketplace.ids import PersonId, new_id
from marketplace.quality.models import Skill, SkillPoint
from marketplace.quality.rules.evidence import drift
from marketplace.quality.rules.posterior import beta_below, beta_quantile, posterior
from marketplace.quality.service import EvidenceSource, learn, unlearn
from marketplace.review.rules import Verdict
from tests.make import specialists
from tests.make import work as make


@pytest.mark.parametrize(
    ("x", "a", "b", "share"),
    # Beta(1, b) and Beta(a, 1) have closed forms; the last is a binomial sum.
    [(0.3, 1, 4, 1 - 0.7**4), (0.3, 5, 1, 0.3**5), (0.5, 3, 3, 0.5), (0.25, 2, 3, 67 / 256)],
)
def test_the_incomplete_beta_function(x: float, a: float, b: float, share: float) -> None:
    assert share == pytest.approx(beta_below(x, a, b), abs=1e-12)
    assert x == pytest.approx(beta_quantile(share, a, b), abs=1e-9)


def test_a_bound_rises_with_evidence_and_starts_low() -> None:
    assert (0.5, 0.1) == pytest.approx(posterior(0, 0))
    bounds = [posterior(0.9 * n, n)[1] for n in (10, 100, 1_000, 10_000)]
    assert bounds == sorted(bounds)
    assert 0.89 < bounds[-1] < 0.9


def test_verdicts_of_people_teach_and_acceptance_by_itself_does_not(session: Session) -> None:
    lab, job = make.published(session, items=3, review_sample_ratio=1.0, domain="")
    doctor = specialists.doctor(session)
    for verdict in (Verdict.ACCEPT, Verdict.REJECT):
        make.decided(session, lab, make.submitted(session, doctor, job), verdict)

    known = session.get_one(Skill, (doctor.person(), "medicine", "pairwise"))

    assert (2, 1.0, 0.5) == (known.n, known.right, known.mean)


def test_verdicts_at_once_all_count(committed: Engine) -> None:
    del committed
    with transaction() as session:
        _, job = make.published(session, items=1)
        doctor = specialists.doctor(session)

    def judge(_: int) -> None:
        with transaction() as session:
            learn(
                session,
                PersonId(doctor.person()),
                job,
                1.0,
                source=EvidenceSource.REVIEW,
                source_id=new_id(),
            )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(judge, range(8)))

    with transaction() as session:
        known = session.get_one(Skill, (doctor.person(), "cardiology", "pairwise"))
        assert (8, 8.0) == (known.n, known.right)


def test_a_verdict_that_is_overturned_counts_as_it_stands(session: Session) -> None:
    _, job = make.published(session, items=1)
    doctor = specialists.doctor(session)
    judged, other = new_id(), new_id()

    def say(source_id: UUID, agreement: float, weight: float = 1.0) -> Skill:
        return learn(
            session,
            PersonId(doctor.person()),
            job,
            agreement,
            source=EvidenceSource.REVIEW,
            source_id=source_id,
            weight=weight,
        )

    say(judged, 0.0)
    say(other, 1.0, 0.5)
    known = say(judged, 1.0)
    assert (2, 1.5, 1.5) == (known.n, known.weight, known.right)

    after = unlearn(session, EvidenceSource.REVIEW, judged)
    assert after is not None
    assert (1, 0.5, 0.5) == (after.n, after.weight, after.right)
    assert unlearn(session, EvidenceSource.REVIEW, judged) is None
    assert unlearn(session, EvidenceSource.GOLD, other) is None


def test_what_was_known_on_a_day_stays_whatever_is_learned_later(session: Session) -> None:
    _, job = make.published(session, items=1)
    doctor = specialists.doctor(session)
    for day, agreement in ((0, 1.0), (0, 1.0), (2, 0.0), (3, 0.0)):
        with clock.shifted(timedelta(days=day)):
            learn(
                session,
                PersonId(doctor.person()),
                job,
                agreement,
                source=EvidenceSource.GOLD,
                source_id=new_id(),
            )
    session.flush()

    kept = session.execute(
        select(SkillPoint.n, SkillPoint.right)
        .where(SkillPoint.person_id == doctor.person())
        .order_by(SkillPoint.on_date)
    ).all()

    assert [(2, 2.0), (3, 2.0)] == [tuple(row) for row in kept]


def test_drift_is_told_where_its_interval_leaves_out_nothing_moved() -> None:
    down = drift((8, 20), (95, 100), recent_n=20)
    steady = drift((18, 20), (90, 100), recent_n=20)

    assert down is not None
    assert down.moved
    assert down.upper < -0.2
    assert steady is not None
    assert not steady.moved
    assert drift((3, 3), (0, 0), recent_n=3) is None
