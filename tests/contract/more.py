"""What takes longer to come about: matters of review, gold, money and exports; ids for paths."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import SYSTEM, Actor
from marketplace.billing import service as billing
from marketplace.delivery import service as delivery
from marketplace.identity.rules import Role
from marketplace.ids import JobId, OrganisationId, SubmissionId
from marketplace.ledger import service as ledger
from marketplace.money import Money
from marketplace.quality import service as quality
from marketplace.quality.models import ControlFiring
from marketplace.quality.rules.control import Action, Collector, RuleText
from marketplace.reconciliation import background as reconciling
from marketplace.reconciliation import service as reconciliation
from marketplace.reconciliation.rules.statements import SourceKind
from marketplace.review.models import Adjudication, Brake
from marketplace.review.rules import Policy, Verdict
from marketplace.review.rules.brake import REJECTIONS_MIN
from marketplace.routing import service as routing
from tests.make import background, identity, invoices, jobs, work
from tests.make import ledger as book
from tests.make.ledger import usd
from tests.quality.test_control import WRONG_GOLD, evaluated
from tests.quality.test_gold import all_done
from tests.reconciliation.test_scenarios import IBAN, camt
from tests.review.world import world as reviewed

WHY = "It says the dose of the other drug; the label says so."


def more(session: Session, lab: Actor, doctor: Actor) -> dict[str, Any]:
    """Ids of such things of a lab and a specialist, and of finance's."""
    return {
        "export_id": _export(session, lab, doctor),
        "case_id": _contested(session, lab),
        "hold_id": _held(session, lab),
        **_gold(session, lab, doctor),
        "statement_id": _statement(session),
        "correction_id": _correction(session),
    }


def _export(session: Session, lab: Actor, doctor: Actor) -> Any:
    """A file that is written."""
    _, job = work.published(session, lab, items=2, review_sample_ratio=1.0)
    work.decided(session, lab, work.submitted(session, doctor, job))
    session.flush()
    asked = delivery.request_export(session, lab, JobId(job.id), form="raw", policy="all")
    session.flush()
    background.number_facts()
    background.run("delivery.write_export", export_id=str(asked.id))
    return asked.id


def _contested(session: Session, lab: Actor) -> Any:
    """A task whose two judgements differ, for a third person."""
    policy = Policy(adjudicates=True)
    here = reviewed(session, lab=lab, policy=policy, items=1, overlap_min=2, overlap_max=2)
    for each in [here.answered("a"), here.answered("b")]:
        here.said(each)
    return session.scalars(select(Adjudication.id)).one()


def _held(session: Session, lab: Actor) -> Any:
    """A reviewer's rejections that wait for a second pair of eyes."""
    here = reviewed(session, lab=lab, policy=Policy(second_look_ratio=0), items=10)
    for each in [here.answered() for _ in range(REJECTIONS_MIN + 2)]:
        here.said(each, Verdict.REJECT, by=here.reviewers[0])
    return session.scalars(select(Brake.id)).one()


def _gold(session: Session, lab: Actor, doctor: Actor) -> dict[str, Any]:
    """A rule that fired on the specialist, and a known answer that they dispute."""
    known = {"judgement": {"choice": "a"}}
    lines = [jobs.line(f"gold-{n}", jobs.pair(n), gold=known) for n in range(5)]
    work.money_in(session, lab, Money(10_000_00, "USD"))
    job = jobs.filled(
        session, lab, items=lines, overlap_min=4, overlap_max=4, review_sample_ratio=1.0
    )
    routing.publish_job(session, lab, JobId(job.id), fee_basis_points=jobs.FEE_BASIS_POINTS)
    text = RuleText("Much gold wrong", Collector.GOLD_ERROR, WRONG_GOLD, Action.PAUSE)
    rule = quality.write_rule(session, lab, text, job_id=job.id)
    replay = quality.ask_replay(session, lab, rule.id)
    session.flush()
    background.run("quality.replay", replay_id=str(replay.id))
    quality.switch_on(session, lab, rule.id)
    given = all_done(session, doctor, job, "bbbbb")
    evaluated()
    work.decided(session, identity.member(session, lab, Role.REVIEWER), given[0], Verdict.REJECT)
    background.run("quality.tell_gold")
    dispute = quality.dispute_gold(session, doctor, SubmissionId(given[0].id), reason=WHY)
    firing = session.scalars(select(ControlFiring.id)).one()
    return {"dispute_id": dispute.id, "firing_id": firing}


def _statement(session: Session) -> Any:
    """A bank's statement of one line."""
    reconciliation.add_source(
        session, SYSTEM, kind=SourceKind.CAMT053, account=IBAN, currency="USD", holds="operating"
    )
    session.flush()
    content = camt(1, date(2026, 5, 1), 0, [[(12_00, "A line")]])
    taken = reconciling.take_statement(SYSTEM, content, kind=SourceKind.CAMT053, name="a.xml")
    return taken.statement_ids[0]


def _correction(session: Session) -> Any:
    """A wish to correct a month's invoice, which waits for a second person."""
    lab = OrganisationId(invoices.a_buyer(session).organisation())
    book.topped_up(session, usd(112_30), lab_id=lab, effective_on=ledger.book_today())
    job = book.funded_job(session, usd(112_30), lab_id=lab)
    book.accepted(session, job, book.a_specialist(), usd(100_00), usd(12_30))
    month = ledger.book_today().replace(day=1)
    invoice = billing.issue_month(session, lab, "USD", month)
    assert invoice is not None
    asker = identity.staff(session, Role.RECONCILER)
    wish = billing.propose_correction(session, asker, invoice.id, reason=WHY)
    return wish.id
