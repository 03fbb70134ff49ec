"""The catalogue's pages: adding, mending, retiring; and files and second looks over HTTP."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from marketplace.identity.rules import Role
from marketplace.specialists import queries
from marketplace.specialists.rules import CredentialState
from tests.make import identity, specialists, uploads
from tests.specialists.test_evidence import PDF
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of


@pytest.fixture
def desk(browse: Callable[[], Browser], session: Session) -> Browser:
    """The browser of operations."""
    return browse().sign_in(session, identity.staff(session, Role.OPERATIONS))


ROLL: dict[str, object] = {
    "title": "Faculty roll",
    "key": "faculty",
    "profession": "law",
    "jurisdictions": "GB",
    "verifiers": "manual",
    "sold_level": "3",
    "reverify_days": "365",
    "evidence_days": "200",
    "claimable": "true",
    "formats.0.place": "GB",
    "formats.0.pattern": "[0-9]{4}",
    "formats.0.description": "four digits",
    "formats.0.example": "1234",
    "checklist.0.sentence": "I saw the roll.",
    "checklist.0.level": "2",
}


def test_a_type_is_added_mended_and_retired(desk: Browser, session: Session) -> None:
    wrong = desk.post("/operations/catalogue/types/new", ROLL | {"formats.0.pattern": "(1+)+"})
    added = desk.post("/operations/catalogue/types/new", ROLL)
    page = checked(desk.get(added.location))
    changed = desk.post(added.location, ROLL | {"title": "Roll of the Faculty"})
    retired = desk.post("/operations/catalogue/type/faculty/retirement", {"retired": "yes"})

    assert "cannot be used" in text_of(checked(wrong, 422))
    assert 'value="[0-9]{4}"' in page
    assert (303, 303) == (changed.status_code, retired.status_code)
    kind = queries.catalogue(session).types["faculty"]
    assert ("Roll of the Faculty", True, 200) == (kind.title, kind.retired, kind.evidence_days)
    assert {"i_saw_the_roll": (2, "I saw the roll.")} == kind.checklist


def test_a_profession_gets_its_specialties(desk: Browser, session: Session) -> None:
    added = desk.post("/operations/catalogue", {"key": "veterinary", "title": "Veterinary"})
    path = added.location
    wrong = desk.post(f"{path}/specialties", {"key": "Equine!", "title": "", "heading": "A"})
    right = desk.post(f"{path}/specialties", {"key": "equine", "title": "Horses", "heading": "A"})
    desk.post("/operations/catalogue/specialty/veterinary/equine/retirement", {"retired": "yes"})

    assert "Write 1 to 200" in text_of(checked(wrong, 422))
    assert 303 == right.status_code
    page = text_of(checked(desk.get(path)))
    assert "Horses (retired)" in page
    assert {} == queries.catalogue(session).professions["veterinary"].specialties
    assert "Veterinary" in text_of(checked(desk.get("/operations/catalogue")))
    assert 404 == desk.get("/operations/catalogue/professions/none").status_code
    assert 404 == desk.get("/operations/catalogue/types/none").status_code


def test_files_are_saved_never_shown_in_place(
    desk: Browser, browse: Callable[[], Browser], session: Session
) -> None:
    holder = identity.specialist(session)
    claim = specialists.claimed(session, holder)
    path = f"/operations/credentials/{claim.id}/evidence"
    token = desk.form_token()

    sent = desk.client.post(path, **uploads.form("x.pdf", PDF, csrf_token=token))
    bad = desk.client.post(path, **uploads.form("x.pdf", b"<html>", csrf_token=token))
    (file,) = queries.claim_of(session, holder, claim.id).files
    got = desk.get(f"{path}/{file.id}")
    own = browse().sign_in(session, holder).get(f"/work/credentials/{claim.id}/evidence/{file.id}")
    stranger = browse().sign_in(session, identity.specialist(session))

    assert 303 == sent.status_code
    assert "Send a whole PDF" in text_of(checked(bad, 422))
    assert (PDF, PDF) == (got.data, own.data)
    assert "attachment; filename=x.pdf" == got.headers["Content-Disposition"]
    assert "nosniff" == got.headers["X-Content-Type-Options"]
    assert 404 == stranger.get(f"/work/credentials/{claim.id}/evidence/{file.id}").status_code


def test_a_second_person_confirms_on_the_page_and_over_the_api(
    desk: Browser, browse: Callable[[], Browser], session: Session
) -> None:
    claim = specialists.claimed(
        session, identity.specialist(session), type="us_bar", identifier="24000001",
        jurisdiction="US-TX", specialties=(),
    )  # fmt: skip
    path = f"/operations/credentials/{claim.id}"
    ticks: dict[str, object] = {f"checklist.{key}": "1" for key in specialists.ticks(4)}
    decision: dict[str, object] = {
        "outcome": "verify",
        "level": "4",
        "note": specialists.NOTE,
        **ticks,
    }
    desk.post(f"{path}/decision", decision)
    said: dict[str, object] = {"agrees": "true", "second_note": specialists.NOTE}
    alone = desk.post(f"{path}/confirmation", said)
    second = identity.staff(session, Role.OPERATIONS)
    headers = {"Authorization": f"Bearer {identity.token(session, second)}"}
    api = browse().client

    waiting = api.get("/api/v1/operations/credentials?waits=second_person", headers=headers)
    confirmed = api.post(
        f"/api/v1{path}/confirmation",
        json={"agrees": True, "note": specialists.NOTE},
        headers=headers,
    )

    assert "takes a second person" in text_of(checked(alone, 422))
    assert [str(claim.id)] == [row["id"] for row in waiting.get_json()["items"]]
    answer = confirmed.get_json()
    assert ("verified", 4, None) == (answer["state"], answer["level"], answer["proposal"])
    session.refresh(claim)
    assert CredentialState.VERIFIED is claim.state


def test_holders_use_the_api(browse: Callable[[], Browser], session: Session) -> None:
    token = identity.token(session, identity.specialist(session))
    headers, api = {"Authorization": f"Bearer {token}"}, browse().client
    asked = {"type": "gmc", "identifier": "C7654321", "jurisdiction": "GB"}

    made = api.post("/api/v1/credentials", json=asked, headers=headers)
    path = f"/api/v1/credentials/{made.get_json()['id']}"
    sent = api.post(f"{path}/evidence", **uploads.form("card.pdf", PDF), headers=headers)
    detail = api.get(path, headers=headers).get_json()
    early = api.post(f"{path}/renew", json={"valid_until": "2090-01-01"}, headers=headers)
    taken = api.post(f"{path}/withdraw", headers=headers)

    assert (201, 201, 409, 200) == (
        made.status_code, sent.status_code, early.status_code, taken.status_code,
    )  # fmt: skip
    assert ["card.pdf"] == [file["name"] for file in detail["files"]]
    assert ("C7654321", "format.gmc") == (detail["identifier"], detail["runs"][0]["verifier"])
    assert ["withdrawn"] == [
        row["state"] for row in api.get("/api/v1/credentials", headers=headers).get_json()["items"]
    ]
