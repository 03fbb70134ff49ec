"""What people say about themselves: names and birth dates as on papers, hours, steps passed."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy.orm import Session

from marketplace.errors import Conflict, Faulty
from marketplace.specialists import queries, service
from marketplace.specialists.rules import first_catalogue
from marketplace.specialists.rules.onboarding import STEPS, Step, first_open, following, preceding
from marketplace.specialists.rules.profiles import cleaned_profile, within_hours
from tests.make import identity

TODAY = date(2026, 11, 23)


def cleaned(**fields: object) -> dict[str, object]:
    """The fields, tidied, on one day."""
    return cleaned_profile(fields, professions=first_catalogue().professions, today=TODAY)


@pytest.mark.parametrize(
    "name",
    [
        "Ana María  de la Cruz",
        "O\u2019Brien-Šimůnek, Máire",
        "Nguyễn Thị Minh",
        "李小龍",
        "J. R. Hill Jr.",
    ],
)
def test_a_name_is_written_as_on_papers_anywhere(name: str) -> None:
    assert {"legal_name": " ".join(name.split())} == cleaned(legal_name=name)


@pytest.mark.parametrize(
    "name", ["X", "R2 D2", "a@b.example", "Ann\u202eylil", "Ann <b>", "é" * 121]
)
def test_what_is_no_name_is_refused_at_its_field(name: str) -> None:
    with pytest.raises(Faulty) as refused:
        cleaned(legal_name=name)

    assert ["/legal_name"] == [fault.pointer for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("born_on", "advice"),
    [
        ("2008-11-24", "at least 18"),
        ("1900-01-01", "Look at the year"),
        ("2027-01-01", "Look at the year"),
        ("21.3.1984", "1984-03-21"),
    ],
)
def test_a_birth_date_is_plausible(born_on: str, advice: str) -> None:
    with pytest.raises(Faulty) as refused:
        cleaned(born_on=born_on)

    assert advice in refused.value.faults[0].message


def test_who_is_eighteen_today_may_work_and_nothing_is_nothing() -> None:
    assert {"born_on": "2008-11-23"} == cleaned(born_on="2008-11-23")
    assert {"born_on": None, "legal_name": None} == cleaned(born_on=" ", legal_name=" ")


def test_employers_are_one_a_line_without_repeats() -> None:
    assert {"employers": ["Adler Lab", "Clinic"]} == cleaned(
        employers=["  Adler  Lab ", "", "Clinic", "Adler Lab"]
    )
    with pytest.raises(Faulty):
        cleaned(employers=["x" * 121])


def test_specialties_come_from_the_catalogue() -> None:
    assert {"specialties": ["cardiology"]} == cleaned(specialties=["cardiology"])
    with pytest.raises(Faulty):
        cleaned(specialties=["magic"])


@pytest.mark.parametrize(
    ("begins", "ends", "minute", "works"),
    [
        (540, 1020, 540, True),
        (540, 1020, 1020, False),
        (1110, 120, 60, True),
        (1110, 120, 600, False),
        (600, 600, 0, True),
    ],
)
def test_hours_may_pass_midnight(begins: int, ends: int, minute: int, works: bool) -> None:
    assert works is within_hours(begins, ends, minute)


def test_steps_follow_each_other_and_who_comes_back_goes_on() -> None:
    assert [following(step) for step in STEPS[:-1]] == list(STEPS[1:])
    assert [preceding(step) for step in STEPS[1:]] == list(STEPS[:-1])
    assert Step.HOURS is first_open({Step.YOU, Step.PROFESSION}, ())
    assert Step.CREDENTIAL is first_open({Step.YOU, Step.PROFESSION, Step.HOURS}, {Step.PAPERS})
    assert first_open(STEPS, ()) is None


def test_a_profile_keeps_its_papers_encrypted_and_passes_its_steps(session: Session) -> None:
    someone = identity.specialist(session)

    service.save_profile(session, someone, professions=["medicine"], legal_name="Ines Lin")
    service.pass_step(session, someone, Step.PAPERS, skipped=True)
    service.pass_step(session, someone, Step.PROFESSION, skipped=False)

    passed = queries.steps_passed(session, someone)
    assert {Step.PROFESSION} == set(passed.saved)
    assert {Step.PAPERS} == set(passed.skipped)
    stored = session.connection().exec_driver_sql("SELECT legal_name FROM specialist_profile")
    assert b"Ines" not in bytes(stored.scalars().one())


def test_what_nothing_works_without_cannot_be_put_off(session: Session) -> None:
    with pytest.raises(Conflict):
        service.pass_step(session, identity.specialist(session), Step.HOURS, skipped=True)
