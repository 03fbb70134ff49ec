"""Judges asked in the background: budget, faults, both orders, what is kept and what is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.endpoints.models import ModelUse
from marketplace.errors import Conflict, Faulty, Missing
from marketplace.jobs.models import Prelabel
from marketplace.mail import Message
from marketplace.quality.background import judges as background
from marketplace.quality.models import JudgeAnswer, JudgeCheck, JudgeRun
from marketplace.quality.queries import judges as queries
from marketplace.quality.rules.judges.answers import AnswerOutcome
from marketplace.quality.rules.judges.runs import RunState
from marketplace.quality.service import judge_batches, judge_panels, judge_reports, judge_runs
from marketplace.quality.service import judges as service
from tests.make import identity
from tests.make import judges as make
from tests.make.endpoints import KEY, Served, models


@pytest.fixture
def served(session: Session) -> Iterator[Served]:
    with models() as served:
        yield served


@pytest.fixture
def lab(session: Session) -> Actor:
    return identity.lab_owner(session)


def asked(session: Session, run: JudgeRun) -> None:
    """The run's background work, as a worker does it but for the pauses."""
    background.ask_on(run.id, pause_seconds=0.01)
    session.refresh(run)


def prelabels(session: Session) -> list[Prelabel]:
    return list(session.scalars(select(Prelabel).order_by(Prelabel.item_id)))


def test_a_judge_is_asked_in_both_orders_and_reported_on(
    session: Session, served: Served, lab: Actor
) -> None:
    _, job = make.panel(session, lab=lab)
    for shift in (0, 1):
        make.verdict(
            session, job, flaw=[lambda _number: 0, lambda number: int(number % 3 == 0)][shift]
        )
    version = make.judge(session, lab, model="judge-q90-b1-p30")
    run = make.run(session, lab, version, job)

    asked(session, run)
    report = judge_reports.make_report(
        session, lab, job.id, model=version.model, version="empathy-v1", slice_key="ward"
    )

    assert (RunState.DONE, 12, 24, 24) == (
        run.state, run.answered, run.calls_made, len(served.asked),
    )  # fmt: skip
    assert {("judge-q90-b1-p30", "empathy-v1")} == {
        (each.model, each.version) for each in prelabels(session)
    }
    found = {(each["dimension"], each["slice"]): each for each in report.findings}
    assert {"", "north", "south"} == {name for _, name in found}
    assert found["empathy", ""]["bias"]["value"] > 0.3
    assert found["better", ""]["flips"]["value"] > 0
    assert found["better", ""]["position"]["value"] > 0
    assert version.prompt_sha256.hex() == report.facts["judge"]["prompt_sha256"]
    assert report is judge_reports.make_report(
        session, lab, job.id, model=version.model, version="empathy-v1", slice_key="ward"
    )


def test_a_key_goes_to_its_endpoint_only_and_the_client_adds_nothing_of_ours(
    session: Session, served: Served, lab: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-the-operator")
    _, job = make.panel(session, lab=lab, items=1)
    run = make.run(session, lab, make.judge(session, lab), job)

    asked(session, run)

    assert RunState.DONE is run.state
    (sent,) = {frozenset(name.lower() for name in each) for each in served.headers}
    assert not {name for name in sent if name.startswith(("openai-", "x-"))}
    assert {f"Bearer {KEY}"} == {each["Authorization"] for each in served.headers}


def test_answers_are_kept_for_the_next_run_of_the_same_version(
    session: Session, served: Served, lab: Actor
) -> None:
    _, job = make.panel(session, lab=lab, items=3)
    version = make.judge(session, lab)
    asked(session, make.run(session, lab, version, job))
    again = make.run(session, lab, version, job)

    asked(session, again)

    assert (6, 0, 3) == (len(served.asked), again.calls_made, again.cached)
    assert 3 == len(prelabels(session))


def test_a_worker_that_is_killed_loses_no_answer(
    session: Session, served: Served, lab: Actor
) -> None:
    _, job = make.panel(session, lab=lab, items=10)
    run = make.run(session, lab, make.judge(session, lab), job)
    batch = judge_batches.next_batch(session, run.id)
    assert batch is not None
    session.flush()
    list(background._completions(batch, batch.asks[:5]))  # Killed before they were recorded.
    background._round(batch, batch.asks[5:9])  # Recorded, and killed before the batch was settled.

    asked(session, run)

    assert (RunState.DONE, 10) == (run.state, run.answered)
    assert 16 + 16 - 4 + 4 == run.calls_made
    assert run.calls_made == session.scalars(select(ModelUse.calls)).one()


def test_the_budget_stops_a_run_and_more_of_it_lets_it_go_on(
    session: Session, served: Served, lab: Actor
) -> None:
    _, job = make.panel(session, lab=lab, items=5)
    run = make.run(session, lab, make.judge(session, lab), job, calls_max=7)

    asked(session, run)
    stopped = (run.state, run.calls_made, run.answered, len(served.asked))
    judge_runs.resume_run(session, lab, run.id, calls_max=20)
    session.flush()
    asked(session, run)

    assert (RunState.STOPPED, 7, 3, 7) == stopped
    assert (RunState.DONE, 10, 5, 10) == (
        run.state, run.calls_made, run.answered, len(served.asked),
    )  # fmt: skip


def test_the_endpoints_own_budget_holds_too(session: Session, served: Served, lab: Actor) -> None:
    _, job = make.panel(session, lab=lab, items=2)
    version = make.judge(session, lab, limits={"calls_a_job_max": 3})
    run = make.run(session, lab, version, job)

    asked(session, run)

    assert (RunState.STOPPED, 0) == (run.state, len(served.asked))
    assert judge_batches.SPENT == run.stopped_because


def test_refusals_and_malformed_answers_are_counted_and_never_guessed(
    session: Session, served: Served, lab: Actor
) -> None:
    _, job = make.panel(session, lab=lab, items=14)
    version = make.judge(session, lab, model="judge-q80-refusing20-malformed25-s4")
    run = make.run(session, lab, version, job)

    asked(session, run)

    assert 14 == run.answered + run.refused + run.malformed
    assert run.refused > 0
    assert run.malformed > 0
    assert run.answered == len(prelabels(session))
    failing = queries.failing_of(session, lab, run.id)
    assert {AnswerOutcome.REFUSED, AnswerOutcome.MALFORMED} == {e.outcome for e in failing}
    assert all(each.said for each in failing)


def test_a_server_that_is_busy_now_and_then_is_asked_again(
    session: Session, served: Served, lab: Actor
) -> None:
    _, job = make.panel(session, lab=lab, items=8)
    run = make.run(session, lab, make.judge(session, lab, model="judge-busy30-broken10"), job)

    asked(session, run)

    assert RunState.DONE is run.state
    assert len(served.asked) == run.calls_made
    assert run.calls_made > 16
    assert 8 == run.answered + run.failed


def test_a_server_that_is_away_leaves_the_run_waiting(
    session: Session, served: Served, lab: Actor
) -> None:
    _, job = make.panel(session, lab=lab, items=1)
    run = make.run(session, lab, make.judge(session, lab, model="echo-busy"), job)

    with pytest.raises(background.ServerAway):
        asked(session, run)
    session.refresh(run)

    assert (RunState.RUNNING, 0) == (run.state, run.position)
    assert len(served.asked) == run.calls_made
    assert 0 == session.scalar(select(func.count()).select_from(JudgeAnswer))


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"api_key": "wrong"}, "key"),
        ({"model": "echo-elsewhere"}, "elsewhere"),
        ({"base_url": "https://127.0.0.1/v1"}, "private network"),
    ],
    ids=["key", "redirect", "private"],
)
def test_what_cannot_be_answered_ends_the_run_with_a_reason(
    session: Session, served: Served, lab: Actor, limits: dict[str, str], words: str
) -> None:
    _, job = make.panel(session, lab=lab, items=1)
    model = limits.pop("model", "judge")
    run = make.run(session, lab, make.judge(session, lab, model=model, limits=limits), job)

    asked(session, run)

    assert RunState.FAILED is run.state
    assert words in (run.stopped_because or "")


def test_a_change_is_a_new_version_and_nothing_else_changes(
    session: Session, served: Served, lab: Actor
) -> None:
    first = make.judge(session, lab)
    same = service.change_judge(session, lab, first.judge_id, {"temperature": 0})
    other = service.change_judge(
        session, lab, first.judge_id, {"prompt": "Judge this.\n{conversation}\n{responses}"}
    )

    assert first.id == same.id
    assert (1, 2) == (first.number, other.number)
    assert first.prompt_sha256 != other.prompt_sha256
    with pytest.raises(Faulty):
        service.change_judge(session, lab, first.judge_id, {"prompt": "Judge."})
    with pytest.raises(Missing):
        service.change_judge(session, identity.lab_owner(session), first.judge_id, {})


def test_a_judge_of_other_dimensions_is_refused(
    session: Session, served: Served, lab: Actor
) -> None:
    _, job = make.panel(session, lab=lab, items=1)
    other = make.judge(session, lab, aspects=[{**make.EMPATHY, "scale": {"min": 0, "max": 9}}])

    with pytest.raises(Faulty) as refused:
        make.run(session, lab, other, job)

    assert 2 == len(refused.value.faults)


def test_a_panel_is_drafted_from_items_of_the_lab(
    session: Session, served: Served, lab: Actor
) -> None:
    _, source = make.panel(session, lab=lab, items=30)
    version = make.judge(session, lab)

    draft = judge_panels.propose_panel(
        session, lab, judge_version_id=version.id, source_job_id=source.id, half_width=0.25
    )

    assert ("judge_calibration", "draft", 30, 3, 3) == (
        draft.task_type, draft.state, draft.item_count, draft.overlap_min, draft.overlap_max,
    )  # fmt: skip
    assert source.profession == draft.profession
    assert [48, 48] == [
        each.items for each in judge_panels.power_of(session, lab, version.id, half_width=0.25)
    ]


def test_a_judge_that_drifted_is_told_to_the_lab(
    session: Session, served: Served, lab: Actor
) -> None:
    _, job = make.panel(session, lab=lab, items=14, experts=1)
    make.verdict(session, job, flaw=lambda number: int(number % 4 == 0))
    first = make.judge(session, lab, model="judge-q95")
    asked(session, make.run(session, lab, first, job))
    report = judge_reports.make_report(
        session, lab, job.id, model="judge-q95", version="empathy-v1"
    )
    calm = judge_runs.start_check(session, lab, report.id, calls_a_minute_max=6_000)
    asked(session, calm)
    moved = service.change_judge(session, lab, first.judge_id, {"model": "judge-q95-bm2"})
    check = judge_runs.start_check(
        session, lab, report.id, judge_version_id=moved.id, calls_a_minute_max=6_000
    )

    asked(session, check)

    drifted = {each.run_id: each.drifted for each in session.scalars(select(JudgeCheck))}
    assert {calm.id: False, check.id: True} == drifted
    assert ["judge_drifted"] == [
        each.template
        for each in session.scalars(select(Message))
        if each.template == "judge_drifted"
    ]
    assert 14 == len(prelabels(session))  # A check writes none.


def test_only_one_run_of_a_version_asks_at_a_time(
    session: Session, served: Served, lab: Actor
) -> None:
    _, job = make.panel(session, lab=lab, items=1)
    version = make.judge(session, lab)
    make.run(session, lab, version, job)

    with pytest.raises(Conflict):
        make.run(session, lab, version, job)
