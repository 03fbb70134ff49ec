"""Skill as a Beta posterior, learned one verdict at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.ids import PersonId
from marketplace.quality.models import Skill
from marketplace.quality.rules.posterior import beta_below, beta_quantile, posterior
from marketplace.quality.service import learn
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
            learn(session, PersonId(doctor.person()), job, 1.0)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(judge, range(8)))

    with transaction() as session:
        known = session.get_one(Skill, (doctor.person(), "cardiology", "pairwise"))
        assert (8, 8.0) == (known.n, known.right)
