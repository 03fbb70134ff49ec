"""Where a judgement comes from, on pages and over the API; the platform's public keys."""

from __future__ import annotations

from typing import Any

from flask import Flask
from redis import Redis
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.verify.keys import is_signed, keys_of, unpacked
from marketplace.verify.proof import HEAD, head_statement
from marketplace.verify.seal import commitment, signed_bytes
from marketplace.work import service as work_service
from marketplace.work.models import Submission
from tests.make import background, identity, proven
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of


def submissions(session: Session, made: proven.Worked) -> list[Submission]:
    asked = select(Submission).where(Submission.job_id == made.job.id).order_by(Submission.id)
    return list(session.scalars(asked))


def test_a_lab_reads_where_a_judgement_comes_from(
    session: Session, lab: Actor, owner: Browser
) -> None:
    made = proven.worked(session, items=2, lab=lab)
    _, second = submissions(session, made)
    address = f"/lab/submissions/{second.id}/provenance"

    page = text_of(checked(owner.get(address)))
    session.execute(
        update(Submission).where(Submission.id == second.id).values(rationale="Something else.")
    )
    session.expire_all()
    altered = text_of(checked(owner.get(address)))
    work_service.forget_person(session, made.doctor.person())
    session.expire_all()
    erased = text_of(checked(owner.get(address)))

    for words in ("This is what was handed in", "Opened", "Handed in", "Rejected", "appeal"):
        assert words in page
    assert "This is not what was handed in" in altered
    assert "The author was erased" in erased
    assert "Where this comes from" in text_of(checked(owner.get(f"/lab/submissions/{second.id}")))


def test_a_job_shows_its_chain_and_its_signed_heads(
    session: Session, lab: Actor, owner: Browser
) -> None:
    made = proven.worked(session, items=1, lab=lab)
    before = text_of(checked(owner.get(f"/lab/jobs/{made.job.id}/provenance")))
    background.run("delivery.keep_heads")

    after = text_of(checked(owner.get(f"/lab/jobs/{made.job.id}/provenance")))

    assert "The first head is kept within an hour" in before
    assert "Save one, and you can hold us" in after
    assert next(iter(proven.keys())) in after


def test_the_api_opens_a_commitment_and_tells_the_chain(
    session: Session, app: Flask, redis: Redis, lab: Actor
) -> None:
    made = proven.worked(session, items=1, lab=lab)
    background.run("delivery.keep_heads")
    (given,) = submissions(session, made)
    bearer = {"Authorization": f"Bearer {identity.token(session, lab)}"}
    client = app.test_client()

    def get(path: str) -> Any:
        return client.get(path, headers=bearer).get_json()

    told = get(f"/api/v1/submissions/{given.id}/provenance")
    chain = get(f"/api/v1/jobs/{made.job.id}/chain")
    keys = keys_of(client.get("/.well-known/marketplace-keys.json").get_data(as_text=True))
    opened = commitment(unpacked(told["salt"]), told["content"]).hex()
    (head,) = chain["heads"]
    stated = head_statement(
        chain["scope"], head["day"], head["number"], bytes.fromhex(head["hash"])
    )

    assert ("holds", told["commitment"]) == (told["bound"], opened)
    assert proven.keys() == keys
    assert is_signed(keys[head["key_id"]], unpacked(head["signature"]), signed_bytes(HEAD, stated))
    assert ["opened", "task.submitted", "task.accepted"] == [step["what"] for step in told["steps"]]
