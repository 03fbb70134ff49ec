"""The qualification for coders: its recorded outcomes are true, and passing it is a credential."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.demo import qualification
from marketplace.demo.materials import QUALIFICATION, job_material
from marketplace.identity.rules import Role
from marketplace.ids import JobId
from marketplace.jobs import service as jobs
from marketplace.money import Money
from marketplace.routing import service as routing
from marketplace.specialists import service
from marketplace.specialists.models import CredentialClaim
from marketplace.specialists.rules import CredentialState
from tests.make import identity, specialists, work
from tests.make import qualification as make

ITEMS = [json.loads(line) for line in job_material(QUALIFICATION).lines]
CODE = re.compile(r"```python\n(.*)```", re.DOTALL)


def outcome(answer: str, tests: list[str]) -> dict[str, int]:
    """The unit tests of our own material, run here and now."""
    found = CODE.fullmatch(answer)
    assert found is not None
    space: dict[str, Any] = {}
    exec(found[1], space)  # noqa: S102 - our own file, not what anybody handed in.
    good = 0
    for test in tests:
        try:
            good += bool(eval(test, space))  # noqa: S307 - the same.
        except (IndexError, TypeError):
            continue
    return {"passed": good, "failed": len(tests) - good}


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item["external_id"])
def test_the_recorded_outcomes_are_what_the_tests_say(item: dict[str, Any]) -> None:
    payload = item["payload"]
    corner = payload["metadata"]

    ran = {slot: outcome(payload[slot], corner["tests"]) for slot in ("a", "b")}

    assert corner["outcomes"] == ran
    right = [slot for slot, each in ran.items() if each["failed"] == 0]
    assert [item["gold"]["judgement"]["choice"]] == right


@pytest.mark.parametrize("about", [[], ["python"]], ids=["anybody", "python"])
def test_passing_it_grants_the_credential(session: Session, about: list[str]) -> None:
    staff = identity.staff(session, Role.OPERATIONS)
    work.money_in(session, staff, Money(500_00, "USD"))
    job = qualification.draft_coder_qualification(session, staff)
    person = identity.specialist(session)
    service.save_profile(session, person, professions=["software"])
    if about:
        jobs.change_job(session, staff, job.id, profession="software", specialties=about)
        specialists.verified(
            session,
            person,
            type="github",
            identifier="octo",
            jurisdiction="",
            specialties=("python",),
        )
    routing.publish_job(session, staff, JobId(job.id), fee_basis_points=2_000)
    session.flush()
    gold = {item["payload"]["messages"][0]["content"]: item["gold"] for item in ITEMS}

    attempt = make.started(session, person, job)
    for _ in range(6):
        claim = work.claimed(session, person, job)
        payload = make.payload_of(session, person, claim.id)
        choice = gold[payload["messages"][0]["content"]]["judgement"]["choice"]
        make.handed_in(session, person, claim, choice)

    assert attempt.passed
    assert {"boundaries", "mutation", "numbers"} == set(attempt.by_concept)
    claim_row = session.scalars(
        select(CredentialClaim)
        .where(CredentialClaim.person_id == person.person())
        .where(CredentialClaim.type == "coder_qualification")
    ).one()
    assert (CredentialState.VERIFIED, 3, about) == (
        claim_row.state,
        claim_row.level,
        claim_row.specialties,
    )
    assert attempt.expires_at
    assert attempt.expires_at.date() == claim_row.valid_until
