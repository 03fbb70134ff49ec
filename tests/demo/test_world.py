"""The demonstration world holds what it promises, and building it again adds nothing."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from marketplace import clock
from marketplace.actor import SYSTEM
from marketplace.db import transaction
from marketplace.delivery.models import Export, WebhookDelivery, WebhookEndpoint
from marketplace.delivery.rules import ExportState
from marketplace.demo import people, reviewing, work, world
from marketplace.demo.cast import LABS, SPECIALISTS, STAFF
from marketplace.demo.plan import JOBS
from marketplace.demo.quiet import UNWANTED, Quiet
from marketplace.errors import Missing
from marketplace.identity import service as identity
from marketplace.identity.models import Organisation, Person
from marketplace.identity.rules import OrganisationKind
from marketplace.jobs.models import Job
from marketplace.ledger import queries as ledger
from marketplace.ledger import service as ledger_service
from marketplace.outbox import OutboxRow
from marketplace.payouts import service as payouts
from marketplace.payouts.models import PayoutRun
from marketplace.payouts.rules import RunState
from marketplace.quality.models import Pipeline, Skill
from marketplace.quality.rules.pipeline_words import PipelineState
from marketplace.review import queries as reviews
from marketplace.review.models import Accrual, Decision
from marketplace.review.rules import Verdict
from marketplace.routing import queries as routing
from marketplace.specialists.models import (
    CredentialCase,
    CredentialChange,
    CredentialClaim,
    CredentialProposal,
    QualificationResult,
    VerificationRun,
)
from marketplace.specialists.models.lists import SanctionHit
from marketplace.specialists.rules import CaseKind, Outcome
from marketplace.specialists.rules.lists import HitGrade, HitState
from marketplace.tasktypes import TASK_TYPES
from marketplace.work.models import Outcome as WorkOutcome
from marketplace.work.models import Submission
from marketplace.work.rules import OutcomeKind, SubmissionState

PASSWORD = "a password of the demonstration"


def silent(_: str) -> None:
    """Nobody listens."""


def stop_at_work(sentence: str) -> None:
    """Somebody presses Ctrl-C when the people are there."""
    if "work" in sentence:
        raise KeyboardInterrupt


def _everything() -> dict[str, int]:
    tables = (Person, Organisation, CredentialClaim, Job, Submission, Decision, Accrual, PayoutRun)
    with transaction() as session:
        return {
            table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
            for table in (*tables, Export)
        }


@pytest.mark.usefixtures("paid_world")
def test_the_world_holds_what_it_promises_also_when_its_building_was_stopped() -> None:
    with pytest.raises(KeyboardInterrupt):
        world.build(PASSWORD, say=stop_at_work)
    assert 0 == _everything()["job"]

    world.build(PASSWORD, say=silent)

    _people_are_there()
    _credentials_rest_on_sources()
    _qualification_was_sat()
    _work_is_done()
    _models_judged_first()
    _money_ties()
    _approver_approves()
    _a_program_is_told()
    first = _everything()
    _what_the_worker_decided_stays()
    world.build(PASSWORD, say=silent)
    assert first == _everything()


def _a_program_is_told() -> None:
    with transaction() as session:
        (hook,) = session.scalars(select(WebhookEndpoint)).all()
        told = session.scalar(select(func.count()).where(WebhookDelivery.endpoint_id == hook.id))
    assert hook.url.endswith("/hooks/lab")
    assert told


def _what_the_worker_decided_stays() -> None:
    planned = next(one for one in JOBS if one.is_reviewed)
    accepted = select(Submission.id).where(Submission.state == SubmissionState.ACCEPTED)
    with transaction() as session:
        job = work.job_of(session, planned)
        assert job is not None
        given = session.scalars(accepted.where(Submission.job_id == job.id).limit(1)).one()
        reviewing._decide(session, planned, given, Verdict.REJECT)
        assert SubmissionState.ACCEPTED == session.get_one(Submission, given).state


def _people_are_there() -> None:
    with transaction() as session:
        labs = session.scalars(
            select(Organisation.name).where(Organisation.kind == OrganisationKind.LAB)
        )
        assert sorted(lab.name for lab in LABS) == sorted(labs)
        assert len(SPECIALISTS) == session.scalar(select(func.count()).where(Person.is_specialist))
        for email in [*(one.owner.email for one in LABS), *(one.email for one in STAFF)]:
            assert identity.sign_in(session, email=email, password=PASSWORD)
        states = session.scalars(select(CredentialClaim.state)).all()
        expected = {"blocked", "checking", "expired", "expiring_soon", "suspended", "verified"}
        assert expected == {state.value for state in states}


def _credentials_rest_on_sources() -> None:
    with transaction() as session:
        said = select(CredentialClaim.type, CredentialClaim.level, VerificationRun.verifier)
        runs = said.join(VerificationRun, VerificationRun.claim_id == CredentialClaim.id)
        passed = runs.where(VerificationRun.outcome == Outcome.PASS)
        found = {tuple(row) for row in session.execute(passed)}
        for verifier in ("us.npi.nppes", "stripe.identity", "us.leie", "us.ofac"):
            assert ("npi", 3, verifier) in found
        assert ("us_medical_license", 4, "us.leie") in found
        assert ("github", 3, "github.oauth") in found
        hits = session.execute(select(SanctionHit.state, SanctionHit.grade)).all()
        assert [(HitState.OPEN, HitGrade.WEAK)] == [tuple(hit) for hit in hits]
        cases = session.scalars(
            select(CredentialCase.kind).where(CredentialCase.closed_at.is_(None))
        )
        assert [CaseKind.SAME_IDENTIFIER] == list(cases)
        waiting = session.scalars(
            select(CredentialProposal.id).where(CredentialProposal.settled_at.is_(None))
        )
        assert 1 == len(list(waiting))
        changes = session.execute(
            select(CredentialChange.claim_id, CredentialChange.state).order_by(CredentialChange.at)
        )
        latest = dict(changes.all())
        claims = dict(session.execute(select(CredentialClaim.id, CredentialClaim.state)).all())
        assert latest == claims


def _qualification_was_sat() -> None:
    with transaction() as session:
        coder = people.person_of(session, "coder@demo.test").id
        attempts = session.scalars(
            select(QualificationResult.passed)
            .where(QualificationResult.person_id == coder)
            .order_by(QualificationResult.attempt)
        )
        assert [False, True] == list(attempts)
        types = session.scalars(
            select(CredentialClaim.type).where(CredentialClaim.person_id == coder)
        )
        assert {"github", "coder_qualification"} == set(types)
        kinds = session.scalars(select(WorkOutcome.kind).order_by(WorkOutcome.id))
        assert [OutcomeKind.GUIDELINE_GAP, OutcomeKind.CANNOT_COMPLETE] == list(kinds)
        assert len(session.scalars(select(Skill.person_id)).all()) > 5


def _work_is_done() -> None:
    with transaction() as session:
        jobs = session.scalars(select(Job)).all()
        assert Counter(open=19, paused=1, draft=1) == Counter(job.state.value for job in jobs)
        assert set(TASK_TYPES) == {job.task_type for job in jobs}
        verdicts = session.scalars(select(Decision.verdict)).all()
        assert set(Verdict) == set(verdicts)
        assert len(session.scalars(select(Submission.id)).all()) > 110
        first = session.scalar(select(func.min(Submission.submitted_at)))
        last = session.scalar(select(func.max(Submission.submitted_at)))
        assert first is not None
        assert last is not None
        assert last - first > timedelta(days=14)
        assert last < clock.now()
        offered = [
            entry.job.task_type
            for email in ("doctor@demo.test", "lawyer@demo.test", "coder@demo.test")
            for entry in routing.feed(session, people.actor_of(session, email))
        ]
        assert set(TASK_TYPES) == set(offered)
        waiting = reviews.waiting_jobs(session, people.actor_of(session, "lab@demo.test"))
        titles = {row.Job.title for row in waiting}
        assert "Write the rubric for a health question" in titles
        states = session.scalars(select(Export.state)).all()
        assert [ExportState.DONE] * 6 == list(states)


def _models_judged_first() -> None:
    """A pipeline at its end, whose audit carries estimates, also of the slice that models miss."""
    with transaction() as session:
        pipeline = session.scalars(select(Pipeline)).one()
        assert PipelineState.DONE is pipeline.state
        assert pipeline.round >= 2
        report = pipeline.report or {}
        sent = report["routes"]["unsure"] + report["routes"]["audit"]
        assert (48, pipeline.items_max) == (report["items"], sent)
        assert (sent, 0) == (report["judged_items"], report["wanting"])
        told = {each["slice"]: each["models"]["value"] for each in report["slices"]}
        assert {"adults", "children"} == set(told)
        assert told["children"] < report["models"]["value"] < told["adults"]
        assert report["models"]["value"] < report["labels"]["value"]
        assert report["labels"]["lower"] < report["labels"]["upper"]


def _money_ties() -> None:
    with transaction() as session:
        runs = session.scalars(select(PayoutRun).order_by(PayoutRun.id)).all()
        assert ["sent", "draft"] == [run.state.value for run in runs]
    with transaction() as session:
        ledger_service.number_transactions(session, limit=5_000)
    with transaction() as session:
        assert [] == ledger.broken_invariants(session)
        for total in ledger.trial_totals(session, SYSTEM).values():
            assert total.debit == total.credit


def _approver_approves() -> None:
    """Somebody who tries it sets a second factor up, and needs no telephone for that."""
    email = "approver@demo.test"
    with transaction() as session:
        with pytest.raises(Missing):
            people.present_code(session, email)
        actor = people.actor_of(session, email)
        identity.start_totp(session, actor)
        identity.confirm_totp(session, actor, people.present_code(session, email))
    with transaction() as session:
        run = session.scalars(select(PayoutRun).order_by(PayoutRun.id.desc())).first()
        assert run is not None
        code = people.present_code(session, email)
        approved = payouts.approve_run(session, actor, run.id, run.content_sha256, code)
        assert RunState.APPROVED is approved.state


@pytest.mark.usefixtures("paid_world")
def test_it_stays_away_where_people_are() -> None:
    with transaction() as session:
        identity.register_verified(
            session, email="somebody@example.org", name="Somebody", password=PASSWORD
        )

    with pytest.raises(world.NotEmpty):
        world.build(PASSWORD, say=silent)
    assert 1 == _everything()["person"]


@pytest.mark.usefixtures("paid_world")
def test_what_is_overdue_in_the_present_waits_until_history_is_written() -> None:
    rows = select(OutboxRow.not_before).where(OutboxRow.name.in_(UNWANTED))
    quiet = Quiet()

    quiet.keep()
    with transaction() as session:
        rest = session.scalars(rows).all()
    quiet.end()
    with transaction() as session:
        due = session.scalars(rows).all()

    assert rest
    assert all(at > clock.now() + timedelta(seconds=10) for at in rest)
    assert all(at <= clock.now() for at in due)
