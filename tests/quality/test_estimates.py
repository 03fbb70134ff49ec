"""Numbers are estimated, systems are compared: by the fit, and as lists and exports show it."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.delivery.queries import preview_of
from marketplace.ids import JobId
from marketplace.jobs import service
from marketplace.jobs.models import Job
from marketplace.money import Money
from marketplace.quality import queries
from marketplace.quality.models import LabelAuthor, QuestionFit, TaskPosterior
from marketplace.quality.rules import estimates, ordinal
from marketplace.quality.rules.ballots import AuthorKind, Scheme
from marketplace.quality.rules.polls import Fitted, Poll, fitted
from marketplace.quality.rules.strengths import Contests, strengths_of
from marketplace.routing import service as routing
from marketplace.tasktypes import Json, task_type
from marketplace.work.rules import Envelope
from tests.make import background, identity, specialists
from tests.make import jobs as make_jobs
from tests.make import work as make

ASPECT = {"key": "care", "title": "Care", "scale": {"min": 1, "max": 5}, "allow_na": True}
RUBRIC = Scheme(task_type("rubric"), {"aspects": [ASPECT]})
FIELDS = {"fields": [{"key": "dose", "title": "Dose", "kind": "number"}]}
AMOUNTS = Scheme(task_type("correction"), FIELDS)
PEOPLE, TASKS = 3, 60


def asked(question: str, scores: dict[tuple[int, int], str], gold: dict[int, str]) -> Poll:
    """A poll in which person a said scores[t, a] of task t."""
    poll = Poll(question)
    unit = question.replace("*", "care")
    for (task, person), label in sorted(scores.items()):
        poll.add(UUID(int=task + 1), unit, (AuthorKind.HUMAN, str(UUID(int=person))), label)
    for task, label in gold.items():
        poll.know(UUID(int=task + 1), unit, label)
    return poll


def drawn() -> dict[tuple[int, int], str]:
    """Scores from 1 to 5; the third person is two points too kind."""
    rng = np.random.default_rng(7)
    truth = rng.uniform(1, 3.4, TASKS)
    return {
        (task, person): str(int(np.clip(round(truth[task] + lean + rng.normal(0, 0.3)), 1, 5)))
        for task in range(TASKS)
        for person, lean in enumerate((0, 0, 2))
    }


def told(poll: Poll, scheme: Scheme) -> Fitted:
    found = fitted(poll, scheme)
    assert found is not None
    return found


@pytest.mark.parametrize("gold", [{}, dict.fromkeys(range(24), "2")])
def test_a_fit_of_scores_is_the_ordinal_estimate(gold: dict[int, str]) -> None:
    scores = drawn()
    found = told(asked("ratings.care", scores, gold), RUBRIC)
    assert found.measured is not None
    rows = sorted(scores.items())
    known = np.full(TASKS, np.nan)
    known[list(gold)] = 2.0
    plain = ordinal.Scores(
        np.array([task for (task, _), _ in rows], np.int32),
        np.array([person for (_, person), _ in rows], np.int32),
        np.array([float(label) for _, label in rows]),
        TASKS,
        PEOPLE,
        expected=1.0,
    )
    expected = ordinal.estimate(plain, gold=known)

    assert expected.method is found.measured.found.method
    assert np.array_equal(np.clip(expected.value, 1, 5), found.measured.found.value)
    assert np.array_equal(np.clip(expected.lower, 1, 5), found.measured.found.lower)
    assert 1.0 < found.measured.found.bias[2] - found.measured.found.bias[0]
    assert [2.0] * len(gold) == found.measured.found.value[list(gold)].tolist()
    legal = [found.labels[place] for place in found.best]
    assert [str(round(value)) for value in found.measured.found.value] == legal
    assert np.allclose(1, found.posterior.sum(1))


def test_a_single_score_is_not_taken_for_certain() -> None:
    found = told(asked("ratings.care", {(0, 0): "4", (1, 1): "2"}, {}), RUBRIC)
    assert found.measured is not None

    assert [4.0, 2.0] == found.measured.found.value.tolist()
    assert 2.5 > found.measured.found.lower[0]
    assert 0.6 > found.posterior.max()


def test_what_stands_beside_the_scale_is_no_number() -> None:
    votes = {(0, 0): "na", (0, 1): "na", (0, 2): "3", (1, 0): "5", (1, 1): "5", (1, 2): "4"}
    found = told(asked("ratings.care", votes, {}), RUBRIC)

    assert ["na", "5"] == [found.labels[place] for place in found.best]


def test_of_open_numbers_one_that_was_given_stands() -> None:
    votes = {(0, 0): "5", (0, 1): "5", (0, 2): "50", (1, 0): "20", (1, 1): "20"}
    votes |= {(task, 0): str(100 + task) for task in range(2, 60)}
    found = told(asked("values.dose", votes, {}), AMOUNTS)

    assert found.fit is None  # Far too many to be classes.
    assert ["5", "20"] == [found.own[case].labels[found.own[case].best] for case in (0, 1)]


def test_chances_rise_towards_the_estimate() -> None:
    points = np.array([1.0, 2, 3])
    (near, far) = estimates.spread_over(points, np.array([2.2, 9.0]), np.array([0.5, 0.0]))

    assert np.allclose([0.081, 0.645, 0.274], near, atol=0.001)
    assert [0, 0, 1] == far.tolist()


def test_numbers_are_kept_listed_and_delivered_with_their_intervals(session: Session) -> None:
    items = [
        make_jobs.line(f"item-{n}", {"messages": make_jobs.pair(n)["messages"], "response": "Yes."})
        for n in range(3)
    ]
    lab, job = rated_job(session, items)
    doctors = [specialists.doctor(session) for _ in range(3)]
    for doctor, score in zip(doctors, (3, 3, 5), strict=True):
        for _ in range(3):
            make.submitted(session, doctor, job, Envelope(judgement=rated(score)))
    online = queries.labels_of_job(session, lab, JobId(job.id))
    background.run("quality.fit_job", job_id=str(job.id))
    session.expire_all()

    listed = queries.labels_of_job(session, lab, JobId(job.id))
    assert 3 == len(listed)
    for before, after in zip(online, listed, strict=True):
        assert before.estimate is not None
        assert after.estimate is not None
        assert pytest.approx(after.estimate.value, abs=0.7) == before.estimate.value
        assert after.estimate.lower < after.estimate.value < after.estimate.upper
        assert after.label == str(round(after.estimate.value))
    (method,) = session.scalars(select(QuestionFit.method)).all()
    assert method in list(ordinal.Method)
    biases = session.scalars(select(LabelAuthor.bias).order_by(LabelAuthor.bias)).all()
    assert biases[0] is not None
    assert biases[2] is not None
    assert biases[0] < 0 < biases[2]
    (contested, *_) = queries.contested_items(session, lab, JobId(job.id))
    assert contested.believed.estimate is not None
    row = session.scalars(select(TaskPosterior)).first()
    assert row is not None
    seen = preview_of(session, lab, JobId(job.id), form="raw", policy="model")
    exported = {each["labels"][row.unit]["estimate"] for each in seen.rows}
    assert row.estimate is not None
    assert round(row.estimate, 6) in exported
    assert not queries.broken_invariants(session)


def rated_job(session: Session, items: list[bytes]) -> tuple[Actor, Job]:
    """A running job that asks three people for scores."""
    lab = identity.lab_owner(session)
    make.money_in(session, lab, Money(10_000_00, "USD"))
    job = service.create_job(
        session,
        lab,
        task_type="rubric",
        title="How careful is the reply?",
        domain="cardiology",
        instructions_md="Score what a colleague would score.",
        profession="medicine",
        pay=Money(4_50, "USD"),
        template={"aspects": [ASPECT]},
        overlap_min=3,
        overlap_max=3,
        review_sample_ratio=0,
    )
    service.add_items(session, lab, job.id, items)
    fee = make_jobs.FEE_BASIS_POINTS
    routing.publish_job(session, lab, JobId(job.id), fee_basis_points=fee)
    return lab, job


def rated(score: int) -> Json:
    return {"ratings": {"care": {"score": score}}}


def met(*choices: str) -> Contests:
    """Two systems of which each stood on both sides; one author."""
    found = Contests()
    for at, choice in enumerate(choices):
        models = {"a": "north", "b": "south"}
        found.add(
            UUID(int=at),
            (AuthorKind.HUMAN, "one"),
            {"choice": choice},
            metadata={"models": models},
            shown=["a", "b"] if at % 2 else ["b", "a"],
        )
    return found


def test_systems_have_strengths_where_items_name_them() -> None:
    found = strengths_of(met(*"aaaaaaab", "tie", "both_bad"))
    assert found is not None

    assert ["north", "south"] == [each["name"] for each in found["systems"]]
    first = found["systems"][0]
    assert first["lower"] < first["score"] < first["upper"]
    assert ("bradley_terry", 10) == (found["method"], found["n"])
    assert found["tie"] is not None
    unnamed = Contests()
    unnamed.add(UUID(int=1), (AuthorKind.HUMAN, "one"), {"choice": "a"}, metadata={})
    assert strengths_of(unnamed) is None
    assert strengths_of(met("a")) is None  # One item is no comparison across items.


def test_rankings_and_conversations_name_systems_too() -> None:
    ranked, talked = Contests(), Contests()
    names = {"r1": "north", "r2": "south", "r3": "east"}
    replies = [
        {"slot": slot, "text": "Yes.", "model": name} for slot, name in zip("ab", "xy", strict=True)
    ]
    turn = {"attempts": [{"replies": replies, "order": ["b", "a"], "choice": "b"}]}
    for at in range(6):
        who = (AuthorKind.HUMAN, str(at % 2))
        tiers = {"tiers": [["r2"], ["r1", "r3"]]}
        ranked.add(UUID(int=at), who, tiers, metadata={"models": names})
        talked.add(UUID(int=at), who, {"turns": [turn]}, metadata={})
    first, second = strengths_of(ranked), strengths_of(talked)
    assert first is not None
    assert second is not None

    assert ("plackett_luce", "south") == (first["method"], first["systems"][0]["name"])
    assert ("bradley_terry", "y") == (second["method"], second["systems"][0]["name"])


def test_the_fit_keeps_strengths_for_the_lab_alone(session: Session) -> None:
    named = {"metadata": {"models": {"a": "north", "b": "south"}}}
    items = [make_jobs.line(f"item-{n}", make_jobs.pair(n, **named)) for n in range(3)]
    lab, job = make.published(session, items=items, review_sample_ratio=0)
    doctor = specialists.doctor(session)
    for _ in range(3):
        make.submitted(session, doctor, job, make.answer("b"))
    background.run("quality.fit_job", job_id=str(job.id))
    session.expire_all()

    strengths = queries.quality_of(session, lab, JobId(job.id)).strengths
    assert strengths is not None
    assert ["south", "north"] == [each.name for each in strengths.systems]
    (author,) = strengths.authors
    assert str(doctor.person()) != author.author
    assert 3 == author.n
