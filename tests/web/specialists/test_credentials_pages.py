"""Credential pages in words: levels, who acts, checks as sentences; help while one types."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.identity.rules import Role
from marketplace.specialists import queries, service
from marketplace.specialists.rules import CredentialState, first_catalogue
from marketplace.web.specialists import credential_words, places, verdict_words
from tests.make import identity, specialists, uploads
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of


def test_every_state_says_who_acts_and_every_level_what_it_means() -> None:
    assert set(CredentialState) == set(credential_words.NEXT_STEPS)
    assert set(CredentialState) == set(credential_words.WHO_ACTS)
    assert {0, 1, 2, 3, 4} == set(credential_words.MEANS)
    assert {0, 1, 2, 3} == set(credential_words.NEEDS)


def test_no_code_reaches_a_page_as_it_is() -> None:
    for code in (*verdict_words.SENTENCES, "status_503", "something_new"):
        words = verdict_words.sentence(code)
        assert "_" not in code or code not in words
        assert words.endswith(".")
        assert "_" not in words


@pytest.mark.parametrize("key", first_catalogue().offered_types())
def test_every_type_has_a_form_that_explains_itself(newcomer: Browser, key: str) -> None:
    page = text_of(checked(newcomer.get(f"/work/credentials/new?type={key}")))

    assert first_catalogue().types[key].title in page
    assert "It counts as verified from level" in page


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"type": "npi", "identifier": "1234567893"}, "This is well formed."),
        ({"type": "npi", "identifier": "1234567890"}, "The check digit does not fit"),
        ({"type": "us_bar", "identifier": "1"}, "Choose where it was given"),
        ({"type": "us_bar", "identifier": "1", "jurisdiction": "US-ZZ"}, "a state such as US-CA"),
        ({"type": "us_bar", "identifier": "1", "jurisdiction": "US-ME"}, "a person will look"),
        ({"type": "npi", "identifier": " "}, ""),
        ({"type": "<b>", "identifier": "<b>"}, ""),
    ],
)
def test_typing_is_answered_and_nothing_is_kept(
    newcomer: Browser, fields: dict[str, object], said: str
) -> None:
    answer = newcomer.post("/work/credentials/check", fields)

    assert 200 == answer.status_code
    assert said in answer.text
    assert "<b>" not in answer.text
    assert "No credential yet" in text_of(newcomer.get("/work/credentials").text)


def test_one_that_ends_soon_is_counted_in_the_rail_and_is_best_done_next(
    desk: Browser, session: Session, doctor: Actor
) -> None:
    staff_look = text_of(checked(desk.get("/work")))
    assert "You renew it" not in staff_look
    soon = clock.now().date() + timedelta(days=20)
    specialists.verified(session, doctor, valid_until=soon)
    service.expire_credentials(session)
    session.flush()  # The pages read by sessions of their own.

    home = checked(desk.get("/work"))
    listed = text_of(checked(desk.get("/work/credentials")))

    assert '<span class="count">1</span>' in home
    assert "you renew it" in text_of(home)
    assert "20 days left" in listed
    assert "You renew it." in listed


def test_a_blocked_one_is_told_without_blame(
    newcomer: Browser, session: Session, doctor: Actor
) -> None:
    number = specialists.npi()
    specialists.claimed(session, doctor, type="npi", identifier=number, jurisdiction="US",
                        specialties=())  # fmt: skip
    session.flush()  # The pages read by sessions of their own.

    answer = newcomer.post("/work/credentials/new", {"type": "npi", "identifier": number})
    page = text_of(checked(newcomer.get(answer.location or "")))

    assert "it decides nothing about you" in page
    assert "Another account holds the same identifier." in page


def test_the_specialties_named_before_are_offered_where_they_fit(
    desk: Browser, session: Session, doctor: Actor
) -> None:
    service.save_profile(session, doctor, specialties=["cardiology", "contracts"])
    session.flush()  # The pages read by sessions of their own.

    page = checked(desk.get("/work/credentials/new?type=npi"))

    assert "Specialties that it covers: Cardiology" in text_of(page)
    assert 'value="cardiology" checked' in page


def test_places_and_languages_are_read_as_they_are_shown() -> None:
    codes = ["US-CA", "GB", "US-GA", "DE"]
    assert "California, United Kingdom, US-GA, Germany" == places.place_names(codes)
    assert codes == places.place_codes(places.place_names(codes))
    tags = ["da", "pt-BR", "sw"]
    assert tags == places.language_tags(places.language_names(tags))
    assert ["NARNIA"] == places.place_codes("Narnia")


def test_another_persons_check_page_is_not_there(newcomer: Browser, session: Session) -> None:
    other = identity.specialist(session)
    claim = specialists.claimed(session, other)
    session.flush()  # The pages read by sessions of their own.

    assert 404 == newcomer.get(f"/work/credentials/{claim.id}").status_code


def test_a_specialty_is_asked_for_and_what_was_refused_says_what_to_send(
    desk: Browser, session: Session, doctor: Actor
) -> None:
    (claim,) = queries.credentials_of(session, doctor, doctor.person())
    path = f"/work/credentials/{claim.id}"
    before = checked(desk.get(path))

    answer = desk.post(f"{path}/amendment", {"specialties": ["oncology", "urology"]})
    asked = text_of(checked(desk.get(answer.location or "")))
    nothing = text_of(desk.get(desk.post(f"{path}/amendment").location or "").text)
    staff = identity.staff(session, Role.OPERATIONS)
    service.refuse_amendment(session, staff, claim.id, refusal="nothing_sent")
    session.flush()
    refused = text_of(checked(desk.get(path)))

    assert 'name="specialties" value="oncology"' in before
    assert 'name="specialties" value="cardiology"' not in before
    assert "You asked to add: Oncology, Urology." in asked
    assert "You asked for specialties already" in nothing
    assert "Not added: Oncology, Urology." in refused
    assert "Send a photograph or scan of the certificate" in refused


def test_a_renewal_with_a_file_that_is_none_says_what_to_send(
    desk: Browser, session: Session, doctor: Actor
) -> None:
    (claim,) = queries.credentials_of(session, doctor, doctor.person())
    path = f"/work/credentials/{claim.id}"
    until = clock.now().date() + timedelta(days=900)
    sent = uploads.form(
        "x.pdf", b"<html>", csrf_token=desk.form_token(), renewed_until=until.isoformat()
    )

    answer = desk.client.post(f"{path}/renewal", **sent)
    page = text_of(checked(desk.get(answer.location or "")))
    staff = identity.staff(session, Role.OPERATIONS)
    service.refuse_renewal(session, staff, claim.id, refusal="unreadable")
    session.flush()
    refused = text_of(checked(desk.get(path)))

    assert "You asked for a later last day" in page
    assert "your file was not kept" in page
    assert f"that shows the new last day, {until.isoformat()}" in page
    assert "was not granted." in refused
    assert "Send a sharp photograph or scan" in refused
