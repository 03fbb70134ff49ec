"""Contested tasks: a third person says what holds, and every judgement stays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.errors import Conflict, Denied, Faulty
from marketplace.ids import SubmissionId
from marketplace.review import queries, service
from marketplace.review.models import Adjudication
from marketplace.review.rules import AdjudicationCause, AdjudicationState, Policy
from marketplace.work.models import Submission
from tests.review.world import WHY, World, world

TWO: Mapping[str, Any] = {"items": 1, "overlap_min": 2, "overlap_max": 2}


def contested(session: Session) -> tuple[World, list[Submission], Adjudication]:
    here = world(session, policy=Policy(adjudicates=True), **TWO)
    given = [here.answered("a"), here.answered("b")]
    for each in given:
        here.said(each)
    return here, given, session.scalars(select(Adjudication)).one()


def test_a_third_person_settles_and_nothing_is_overwritten(session: Session) -> None:
    here, given, case = contested(session)
    assert (AdjudicationCause.DISAGREEMENT, ["choice"]) == (case.cause, case.units)

    service.settle_adjudication(
        session,
        here.reviewers[0],
        case.id,
        rationale=WHY,
        chosen_id=SubmissionId(given[1].id),
    )

    settled = queries.adjudicated(session, [case.task_id])[case.task_id]
    assert ({"choice": "b"}, given[1].id) == (settled.judgement, settled.chosen_id)
    assert {str(given[0].id): 0.0, str(given[1].id): 1.0} == settled.agreements
    assert ["a", "b"] == [each.judgement["choice"] for each in given]
    assert [450, 450] == [here.pending(each) for each in here.doctors]
    assert [] == here.sound()
    with pytest.raises(Conflict):
        service.withdraw_adjudication(session, here.owner, case.id)


def test_an_own_judgement_has_to_fit_and_needs_a_reason(session: Session) -> None:
    here, _, case = contested(session)

    with pytest.raises(Faulty) as refused:
        service.settle_adjudication(
            session, here.owner, case.id, rationale=WHY, judgement={"choice": "z"}
        )
    assert ["/judgement/choice"] == [fault.pointer for fault in refused.value.faults]
    with pytest.raises(Faulty):
        service.settle_adjudication(
            session, here.owner, case.id, rationale="no", judgement={"choice": "tie"}
        )
    service.settle_adjudication(
        session, here.owner, case.id, rationale=WHY, judgement={"choice": "tie"}
    )

    assert (None, {"choice": "tie"}) == (case.chosen_id, case.judgement)


def test_who_asks_does_not_settle_and_asks_once(session: Session) -> None:
    here = world(session, **TWO)
    first = here.answered("a")
    with pytest.raises(Conflict):
        service.ask_adjudication(session, here.owner, SubmissionId(first.id))
    here.answered("b")

    case = service.ask_adjudication(session, here.owner, SubmissionId(first.id))
    with pytest.raises(Conflict):
        service.ask_adjudication(session, here.reviewers[0], SubmissionId(first.id))
    with pytest.raises(Denied):
        service.settle_adjudication(
            session, here.owner, case.id, rationale=WHY, chosen_id=SubmissionId(first.id)
        )
    author = update(Adjudication).values(
        state=AdjudicationState.SETTLED,
        adjudicator_id=first.specialist_id,
        rationale=WHY,
        template_version_id=first.template_version_id,
        ended_at=clock.now(),
    )
    with (
        pytest.raises(IntegrityError, match="reviewer_of_same_organisation"),
        session.begin_nested(),
    ):
        session.execute(author)
    with clock.shifted(timedelta(days=8)):
        assert service.lapse_next_adjudication(session)
        assert not service.lapse_next_adjudication(session)
    assert AdjudicationState.LAPSED is case.state


def test_judgements_that_agree_need_nobody(session: Session) -> None:
    here = world(session, policy=Policy(adjudicates=True), **TWO)
    for _ in range(2):
        here.said(here.answered("a"))

    assert [] == session.scalars(select(Adjudication)).all()
