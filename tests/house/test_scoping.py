"""Nobody reaches what is another's: two labs and two specialists, all endpoints, real ids.

Each path is filled with the ids of things that belong to one lab or one specialist, and called by
the other, who has the same rights over their own. The answer is that there is no such thing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Flask
from redis import Redis
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.delivery import service as delivery
from marketplace.identity import service as identity_service
from marketplace.identity.models import ApiToken, Invitation, SignIn
from marketplace.ids import JobId, new_id
from marketplace.jobs.models import Item
from marketplace.jobs.service import imports
from marketplace.quality import service as quality
from marketplace.review.rules import Verdict
from marketplace.specialists import service as specialists_service
from marketplace.web.errors import API_PREFIX
from marketplace.web.guards import guarded_endpoints
from tests.house.test_endpoints import Caller
from tests.make import (
    appeals,
    identity,
    invoices,
    judges,
    pipelines,
    qualification,
    specialists,
    work,
)
from tests.make import billing as make_billing
from tests.make import endpoints as make_endpoints
from tests.make import jobs as make_jobs
from tests.make import webhooks as make_webhooks

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
FENCE = {"fence": 1}
RULE = {
    "name": "Mine now", "collector": "haste", "side": "above", "bound": "lower",
    "threshold": 0.5, "n_min": 10, "action": "notify",
}  # fmt: skip
TERMS = {"items_a_form": 2, "forms": 1}
# What a call by its owner would carry; forms take it all, the API what it knows.
BODIES: Mapping[str, Any] = {
    "appeals/<uuid:appeal_id>/statement": {"statement": "It stands as the instructions say."},
    "submissions/<uuid:submission_id>/appeal": {"reason": "It is right as the instructions say."},
    "claims/<uuid:claim_id>/conversation/ask": FENCE | {"turn": 1},
    "claims/<uuid:claim_id>/conversation/choice": FENCE | {"turn": 1, "choice": "a"},
    "claims/<uuid:claim_id>/conversation/turns": FENCE | {"turn": 1, "said": "Hello"},
    "claims/<uuid:claim_id>/heartbeat": FENCE,
    "claims/<uuid:claim_id>/outcome": FENCE
    | {"kind": "guideline_gap", "evidence": "It is unclear."},
    "claims/<uuid:claim_id>/release": FENCE,
    "claims/<uuid:claim_id>/submission": FENCE | {"judgement": {"choice": "a"}},
    "claims/<uuid:claim_id>/draft": FENCE | {"judgement": {"choice": "a"}},
    "credentials/<uuid:claim_id>/amend": {"specialties": ["oncology"]},
    "credentials/<uuid:claim_id>/renew": {"valid_until": "2033-01-01"},
    "jobs/<uuid:job_id>/exports": {"format": "trl_preference", "policy": "all"},
    "webhook-endpoints/<uuid:hook_id>/replay": {"after": 0},
    "jobs/<uuid:job_id>/imports/bucket": {"url": "s3://bucket/rows/"},
    "jobs/<uuid:job_id>/judge-report": {"model": "none"},
    "jobs/<uuid:job_id>/judge-runs": {"version_id": str(new_id()), "calls_max": 10},
    "judges/<uuid:judge_id>": {"temperature": 1},
    "jobs/<uuid:job_id>/qualification": TERMS,
    "jobs/<uuid:job_id>": {"title": "Mine now"},
    "items/<uuid:item_id>/gold": {"judgement": None, "note": "Nobody can tell what is right."},
    "rules/<uuid:rule_id>": RULE,
    "qualifications/<uuid:job_id>/places": {"candidates_max": 50},
    "qualifications/<uuid:job_id>/items/<uuid:item_id>/retire": {},
    "submissions/<uuid:submission_id>/bonuses": {
        "amount": {"amount_minor": 100, "currency": "USD"},
        "words": "A good find.",
    },
    "jobs/<uuid:job_id>/budget": {"budget": None},
    "spend-limits/<uuid:person_id>": {"currency": "USD", "month_max": None},
    "submissions/<uuid:submission_id>/decision": {"verdict": "accept", "note": "It is right."},
    "submissions/<uuid:submission_id>/judge-faults": {"fault": "other", "note": "It is wrong."},
}

FORM = {
    "currency": "USD",
    "most": "1",
    "amount": "1",
    "words": "Well",
    "once": "1",
    "after": "0",
    "fence": "1",
    "name": "Mine now",
    "title": "Mine now",
    "note": "It is right as it is.",
}
# Parts of paths to things that these owners do not have.
ABSENT = (
    *("/images/<path", "/steps", "/page", "/restore", "/top-ups/", "/conversation", "/rejected"),
    *("/firings/", "/alarms/", "/disputes/", "/checks/", "gold-dispute", "/lab/items/"),
    *("/holds/", "/contested/", "/appeals/<uuid:appeal_id>/image", "/questions/<uuid:pack_id>"),
    "/earnings/tasks/",
)


def world(session: Session) -> tuple[Actor, Actor, dict[str, Any]]:
    """A lab and a specialist, and the ids of what is theirs."""
    lab, job = work.published(session, items=3, review_sample_ratio=1.0)
    doctor = specialists.doctor(session)
    submission = work.submitted(session, doctor, job)
    refused = work.submitted(session, doctor, job)
    work.decided(session, lab, refused, Verdict.REJECT)
    appeal = appeals.filed(session, doctor, refused)
    claim = work.claimed(session, doctor, job)
    credential = specialists.claimed(session, doctor)
    with specialists_service.sealed_in_store(PDF, "card.pdf") as file:
        kept = specialists_service.add_evidence(session, doctor, credential.id, file)
        file.taken = True
    _, test = qualification.published(session, lab)
    attempt = qualification.started(session, doctor, test)
    export = delivery.request_export(
        session, lab, JobId(job.id), form="trl_preference", policy="all"
    )
    identity_service.invite(session, lab, email=identity.email(), role="viewer")
    session.flush()
    own = Invitation.organisation_id == lab.organisation_id
    invitation = session.scalars(select(Invitation.id).where(own)).first()
    draft = make_jobs.draft(session, lab)
    started = imports.start_import(
        session, lab, draft.id, "imports/none", filename="a.jsonl", wish=imports.Wish("jsonl"),
        held=True,
    )  # fmt: skip
    identity.token(session, lab)
    identity.cookie(session, lab)
    token = session.scalars(select(ApiToken.id).where(ApiToken.person_id == lab.person_id)).first()
    browser = session.scalars(select(SignIn.id).where(SignIn.person_id == lab.person_id)).first()
    item = session.scalars(select(Item.id).where(Item.job_id == test.id)).first()
    return lab, doctor, {
        "job_id": job.id, "submission_id": submission.id, "claim_id": claim.id,
        "credential": credential.id, "file_id": kept.id, "attempt_id": attempt.id,
        "export_id": export.id, "test": test.id,
        "endpoint_id": make_endpoints.endpoint(session, lab).id,
        "invitation_id": invitation,
        "invoice_id": invoices.issued(session, lab).id,
        "appeal_id": appeal.id,
        "refund_id": make_billing.asked_refund(session, lab).id,
        "person_id": lab.person_id,
        "import_id": started.id, "token_id": token, "sign_in_id": browser,
        "item_id": item,
        **make_webhooks.belongings(session, lab),
        **judges.belongings(session, lab, job),
        **pipelines.belongings(session, job),
        "rule_id": quality.add_ready(session, lab, "haste", job_id=job.id).id,
    }  # fmt: skip


def filled(rule: str, ids: Mapping[str, Any]) -> str:
    """The rule with the ids of what is theirs."""

    def one(found: re.Match[str]) -> str:
        name = found[1]
        if name == "claim_id" and "/credentials/" in rule:
            return str(ids["credential"])
        if name == "job_id" and "qualification" in rule:
            return str(ids["test"])
        return str(ids.get(name, new_id()))

    return re.sub(r"<(?:\w+:)?(\w+)>", one, rule)


# What every specialist may see and begin: offers of running jobs.
OFFERS = frozenset(
    {
        "GET /api/v1/jobs/<uuid:job_id>/eligibility",
        "GET /work/jobs/<uuid:job_id>",
        "GET /work/qualifications/<uuid:job_id>",
        "POST /api/v1/qualifications/<uuid:job_id>/attempts",
        "POST /work/qualifications/<uuid:job_id>/attempts",
    }
)
# Pages of the platform's own people, who see the things of all; see the other tests of endpoints.
PLATFORM = ("/operations", "/finance", f"{API_PREFIX}/operations", f"{API_PREFIX}/finance")


def ends(endpoint: tuple[str, str, str, object]) -> bool:
    """Whether a call ends what it is about."""
    _, rule, method, _ = endpoint
    return method == "DELETE" or rule.endswith(("/retire", "/drop"))


def calls(app: Flask, lab: Actor) -> Iterator[tuple[str, str, bool]]:
    """(method, rule, whether labs call it) of all that is about one thing of somebody's."""
    # What ends a thing comes last.
    for _, rule, method, guard in sorted(guarded_endpoints(app), key=ends):
        if "<uuid:" in rule and not rule.startswith(PLATFORM) and f"{method} {rule}" not in OFFERS:
            yield method, rule, guard is None or guard.lets(lab.permissions)


def asked(caller: Caller, method: str, rule: str, ids: Mapping[str, Any]) -> tuple[int, str]:
    """Status of a call about another's thing, with where it leads."""
    body = next((body for end, body in BODIES.items() if rule.endswith(end)), None)
    more: dict[str, Any] = {}
    headers = caller.form
    if rule.startswith(API_PREFIX):
        headers = caller.bearer | {"If-Match": '"0"'}
        more = {"json": body} if body is not None and method != "GET" else {}
    elif method != "GET":
        more = {"data": FORM}
    answer = caller.client.open(filled(rule, ids), method=method, headers=headers, **more)
    status, led = answer.status_code, answer.location or ""
    answer.close()
    return status, led


def test_what_is_anothers_is_not_there(app: Flask, session: Session, redis: Redis) -> None:
    lab, _, ids = world(session)
    callers = {
        True: Caller(app, session, world(session)[0]),
        False: Caller(app, session, specialists.doctor(session)),
    }
    reached = []
    for method, rule, by_lab in calls(app, lab):
        redis.flushdb()  # No limit is reached by asking everything.
        with session.begin_nested() as point:
            status, led = asked(callers[by_lab], method, rule, ids)
            if status in {303, 302} and led.startswith("/"):
                # A form that lacks something leads to the thing's page, which is not there.
                status = callers[by_lab].client.get(led).status_code
            point.rollback()
        # A body that nobody could mean is refused before anything is looked up.
        if status not in {404, 415, 422}:
            reached.append(f"{method} {rule}: {status}")

    assert [] == reached


def test_its_owner_gets_there(app: Flask, session: Session, redis: Redis) -> None:
    """Else the test above would show nothing: the ids that it asks with are real."""
    lab, doctor, ids = world(session)
    callers = {True: Caller(app, session, lab), False: Caller(app, session, doctor)}
    lost = []
    for method, rule, by_lab in calls(app, lab):
        redis.flushdb()
        with session.begin_nested() as point:
            status, _ = asked(callers[by_lab], method, rule, ids)
            point.rollback()
        if status == 404 and method != "DELETE" and not any(each in rule for each in ABSENT):
            lost.append(f"{method} {rule}")

    assert [] == lost
