"""Hybrid pipelines in the product: the money, the routes, rounds, labels and estimates."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import outbox, storage
from marketplace.actor import Actor
from marketplace.delivery import service as delivery
from marketplace.delivery.rules import ExportState
from marketplace.errors import Conflict, Faulty
from marketplace.ids import JobId
from marketplace.jobs import service as jobs
from marketplace.jobs.models import Item, Job
from marketplace.ledger import queries as ledger
from marketplace.money import Money
from marketplace.quality import queries, service
from marketplace.quality.models import Pipeline, PipelineItem, PipelineLabel
from marketplace.quality.rules.pipeline import Reason, Route
from marketplace.quality.rules.pipeline_words import PipelineState
from marketplace.routing import service as routing
from marketplace.work.models import Seat, Task
from marketplace.work.queries import broken_invariants
from marketplace.work.rules import TaskState
from marketplace.work.service import open_seat
from tests.make import identity, specialists, work
from tests.make import jobs as make_jobs

ITEMS = 120


def rows(count: int = ITEMS, *, first: int = 1, seed: int = 4) -> Iterator[bytes]:
    """Items that two judges spoke of: the truth is `a`; in one slice of three they err often."""
    drawn = Random(seed)
    for number in range(first, first + count):
        place = number % 3
        right = drawn.random() < (0.55 if place == 2 else 0.97)
        choice = "a" if right else "b"
        sure = 0.97 if number % 6 else 0.6
        said = [
            {
                "model": f"judge-{name}",
                "version": "1",
                "payload": {"choice": choice},
                "confidence": sure,
            }
            for name in ("one", "two")
        ]
        payload = make_jobs.pair(number, metadata={"subject": f"part {place}"})
        yield json.dumps(
            {"external_id": f"item-{number}", "payload": payload, "prelabels": said}
        ).encode()


def agreed(session: Session, lab: Actor, job: Job, **more: Any) -> Pipeline:
    given: dict[str, Any] = {
        "confidence_target": Decimal("0.9"),
        "audit_ratio": Decimal("0.1"),
        "items_max": 90,
        "slice_field": "subject",
    }
    return service.set_pipeline(session, lab, job.id, **given | more)


def published(session: Session, **more: Any) -> tuple[Actor, Job]:
    """A running job with a pipeline, its items routed and its seats open."""
    lab = identity.lab_owner(session)
    work.money_in(session, lab, Money(10_000_00, "USD"))
    job = make_jobs.filled(session, lab, items=rows())
    agreed(session, lab, job, **more)
    routing.publish_job(session, lab, JobId(job.id), fee_basis_points=2_000)
    ran(session, "quality.route_items")
    return lab, job


def ran(session: Session, name: str, **arguments: Any) -> None:
    """Run what waits under a name in the outbox, or what is asked for."""
    session.flush()
    for row in session.scalars(
        select(outbox.OutboxRow).where(
            outbox.OutboxRow.name == name, outbox.OutboxRow.done_at.is_(None)
        )
    ).all():
        held = outbox.Work(row.id, name, row.arguments, 1)
        outbox.bound()[name].call(held, **row.arguments)
    session.expire_all()


def computed(session: Session, job: Job) -> None:
    """The estimates of now, and the next round where all that was sent is judged."""
    outbox.enqueue(session, "quality.compute_pipeline", job_id=job.id)
    ran(session, "quality.compute_pipeline")


def judge_all(session: Session, job: Job) -> int:
    """Doctors judge every open seat: the truth is `a`. How many answers came."""
    given = 0
    doctor = specialists.doctor(session)
    while claim := routing.claim_next(session, doctor, job_id=JobId(job.id)):
        session.flush()
        work.submit(session, doctor, claim, work.answer("a"))
        given += 1
    return given


def test_models_judge_most_and_specialists_what_is_unsure(session: Session) -> None:
    _, job = published(session)

    routes = Counter(
        session.scalars(select(PipelineItem.route).where(PipelineItem.job_id == job.id))
    )
    tasks = Counter(session.scalars(select(Task.state).where(Task.job_id == job.id)))
    seats = session.scalar(select(func.count()).select_from(Seat).where(Seat.job_id == job.id))

    assert ITEMS == routes.total()
    assert 20 == routes[Route.UNSURE]  # One item in six of which the judges are unsure.
    assert {TaskState.FINAL: routes[Route.MODEL], TaskState.OPEN: seats} == tasks
    assert routes[Route.UNSURE] + routes[Route.AUDIT] == seats
    assert ITEMS == job.items_seated
    assert [] == broken_invariants(session)


def test_the_money_follows_the_most_that_specialists_judge(session: Session) -> None:
    lab, job = published(session, items_max=30)
    each = Money(4_50 + 90, "USD")

    held = ledger.job_balance(session, JobId(job.id), "USD")
    jobs.add_items(session, lab, job.id, rows(60, first=500))
    routing.open_more_seats(session, JobId(job.id))

    assert each * 30 == held
    assert each * 30 == ledger.job_balance(session, JobId(job.id), "USD")


def test_a_quote_says_how_many_tasks_specialists_judge_at_most(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make_jobs.filled(session, lab)
    agreed(session, lab, job, items_max=1)

    quoted = routing.quote_job(session, lab, JobId(job.id), fee_basis_points=0).estimate

    assert (job.item_count, 1) == (quoted.tasks, quoted.judged)


def test_what_models_alone_judge_gets_no_seat_beside_the_plan(session: Session) -> None:
    _, job = published(session, items_max=30)
    alone = select(Task.id).where(Task.job_id == job.id, Task.wanted == 0)

    assert open_seat(session, session.scalars(alone.limit(1)).one(), why="Gold.") is None


def test_rounds_mend_the_slice_in_which_models_err(session: Session) -> None:
    lab, job = published(session, items_max=110)
    given = 0
    for _ in range(6):
        given += judge_all(session, job)
        computed(session, job)
    found = session.get_one(Pipeline, job.id)

    by_slice = {each["slice"]: each for each in (found.report or {})["slices"]}
    poor = session.scalar(
        select(func.count())
        .select_from(PipelineItem)
        .where(PipelineItem.job_id == job.id, PipelineItem.reason == Reason.SLICE_POOR)
    )
    assert PipelineState.DONE is found.state
    assert found.round > 1
    assert poor
    assert by_slice["part 2"]["routes"]["model"] < by_slice["part 1"]["routes"]["model"]
    assert found.items_max >= given
    assert found.round == len(queries.rounds_of(session, lab, job.id))
    assert [] == broken_invariants(session)


def test_every_item_has_a_label_and_the_set_an_estimate(session: Session) -> None:
    lab, job = published(session)
    judge_all(session, job)
    computed(session, job)

    found = queries.pipeline_of(session, lab, job.id)
    labels = session.scalars(select(PipelineLabel).where(PipelineLabel.job_id == job.id)).all()

    assert found is not None
    assert ITEMS == len(labels)
    assert {"choice"} == {label.unit for label in labels}
    assert all(label.label == "a" for label in labels if label.humans)
    told = (found.report or {})["labels"]
    right = session.scalar(
        select(func.count())
        .select_from(PipelineLabel)
        .where(PipelineLabel.job_id == job.id, PipelineLabel.label == "a")
    )
    assert told["lower"] <= (right or 0) / ITEMS <= told["upper"]
    assert told["lower"] < told["upper"] <= 1
    shares = {each["measure"]: each for each in (found.report or {})["measures"]}
    assert shares["share of a"]["lower"] <= 1.0


def test_the_label_set_leaves_with_who_spoke(session: Session) -> None:
    lab, job = published(session)
    judge_all(session, job)
    computed(session, job)
    export = delivery.request_export(session, lab, JobId(job.id), form="raw", policy="model")

    ran(session, "delivery.write_export")
    session.refresh(export)
    with storage.current().open(export.reference) as file:
        rows_told = [json.loads(row) for row in file]
    pairs = delivery.request_export(
        session, lab, JobId(job.id), form="trl_preference", policy="model"
    )
    ran(session, "delivery.write_export")
    session.refresh(pairs)

    sent = queries.routed(session, job.id).plan.sent
    by = Counter(row["labelled_by"] for row in rows_told)
    assert ExportState.DONE is export.state
    assert ITEMS == len(rows_told) == pairs.rows
    assert dict(by) == (export.counts or {})["labelled_by"]
    assert sent >= by["specialists"] > 0
    for row in rows_told:
        told = row["labels"]["choice"]
        assert row["judgement"]["choice"] == told["label"]
        assert row["author"]["kind"] == (
            "model" if row["labelled_by"] == "models" else "specialist"
        )
        assert (told["humans"] > 0) or row["labelled_by"] == "models"


def test_news_are_asked_for_and_nothing_else(session: Session) -> None:
    _, job = published(session)
    asked = select(func.count()).where(outbox.OutboxRow.name == "quality.compute_pipeline")

    outbox.enqueue(session, "quality.follow_pipelines")
    ran(session, "quality.follow_pipelines")
    before = session.scalar(asked)
    judge_all(session, job)
    outbox.enqueue(session, "quality.follow_pipelines")
    ran(session, "quality.follow_pipelines")

    assert (0, 1) == (before, session.scalar(asked))


def test_items_that_come_later_are_routed_too(session: Session) -> None:
    lab, job = published(session)
    jobs.add_items(session, lab, job.id, rows(30, first=500))
    routing.open_more_seats(session, JobId(job.id))
    ran(session, "quality.route_items")

    routed = queries.routes_of(session, lab, job.id, after=ITEMS, limit=50)

    assert 30 == len(routed)
    assert ITEMS + 30 == session.get_one(Job, job.id).items_seated


def test_the_same_seed_routes_alike(session: Session) -> None:
    _, job = published(session)
    before = queries.routed(session, job.id).plan

    ran(session, "quality.route_items")

    assert (before.routes == queries.routed(session, job.id).plan.routes).all()


def test_a_pipeline_is_agreed_in_a_draft_only(session: Session) -> None:
    lab, job = published(session)

    with pytest.raises(Conflict):
        agreed(session, lab, job)


def test_what_makes_no_sense_is_refused(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make_jobs.filled(session, lab)

    with pytest.raises(Faulty) as refused:
        agreed(
            session, lab, job, confidence_target=Decimal("1.5"), audit_ratio=Decimal(0),
            slice_field="a,b",
        )  # fmt: skip

    assert {"/confidence_target", "/audit_ratio", "/slice_field"} == {
        fault.pointer for fault in refused.value.faults
    }


def test_shares_are_never_rounded_unsaid(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make_jobs.filled(session, lab)

    with pytest.raises(Faulty, match="would not work") as refused:
        agreed(session, lab, job, confidence_target=Decimal("0.9996") - Decimal("0.1"))

    assert ["/confidence_target"] == [fault.pointer for fault in refused.value.faults]
    kept = agreed(session, lab, job, confidence_target=Decimal("0.912"))
    assert Decimal("0.912") == kept.confidence_target


def test_running_pipelines_are_read_on_behind_the_first_ones(session: Session) -> None:
    _, job = published(session)

    assert [job.id] == [each.job_id for each in queries.running_pipelines(session, limit=1)]
    assert [] == queries.running_pipelines(session, after=job.id, limit=1)


def test_texts_have_no_pipeline(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = jobs.create_job(session, lab, task_type="demonstration", title="Write")

    with pytest.raises(Faulty):
        agreed(session, lab, job)


def test_without_a_pipeline_specialists_judge_all(session: Session) -> None:
    lab = identity.lab_owner(session)
    work.money_in(session, lab, Money(10_000_00, "USD"))
    job = make_jobs.filled(session, lab)
    agreed(session, lab, job, items_max=1)
    service.drop_pipeline(session, lab, job.id)

    routing.publish_job(session, lab, JobId(job.id), fee_basis_points=2_000)

    assert 3 == session.scalar(select(func.count()).select_from(Seat).where(Seat.job_id == job.id))
    assert 3 == session.scalar(select(func.count()).select_from(Item).where(Item.job_id == job.id))
