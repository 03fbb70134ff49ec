"""The demonstration world holds what it promises, and building it again adds nothing."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from marketplace import clock
from marketplace.actor import SYSTEM
from marketplace.db import transaction
from marketplace.delivery.models import Export
from marketplace.delivery.rules import ExportState
from marketplace.demo import people, world
from marketplace.demo.cast import LABS, SPECIALISTS, STAFF
from marketplace.errors import Missing
from marketplace.identity import service as identity
from marketplace.identity.models import Organisation, Person
from marketplace.identity.rules import OrganisationKind
from marketplace.jobs.models import Job
from marketplace.ledger import queries as ledger
from marketplace.ledger import service as ledger_service
from marketplace.payouts import service as payouts
from marketplace.payouts.models import PayoutRun
from marketplace.payouts.rules import RunState
from marketplace.review.models import Accrual, Decision
from marketplace.review.rules import Verdict
from marketplace.routing import queries as routing
from marketplace.specialists.models import CredentialClaim
from marketplace.work.models import Submission

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
    _work_is_done()
    _money_ties()
    _approver_approves()
    first = _everything()
    world.build(PASSWORD, say=silent)
    assert first == _everything()


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


def _work_is_done() -> None:
    with transaction() as session:
        jobs = session.scalars(select(Job)).all()
        assert Counter(open=4, paused=1, draft=1) == Counter(job.state.value for job in jobs)
        assert 5 == len({job.task_type for job in jobs})
        verdicts = session.scalars(select(Decision.verdict)).all()
        assert set(Verdict) == set(verdicts)
        assert len(session.scalars(select(Submission.id)).all()) > 110
        first = session.scalar(select(func.min(Submission.submitted_at)))
        last = session.scalar(select(func.max(Submission.submitted_at)))
        assert first is not None
        assert last is not None
        assert last - first > timedelta(days=14)
        assert last < clock.now()
        for email in ("doctor@demo.test", "lawyer@demo.test", "coder@demo.test"):
            assert routing.feed(session, people.actor_of(session, email))
        states = session.scalars(select(Export.state)).all()
        assert [ExportState.DONE] * 3 == list(states)


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
