"""Offline checks, the catalogue, and what time does; all pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from marketplace.errors import Faulty
from marketplace.specialists.rules import (
    HOLDING,
    NEXT,
    CredentialState,
    Outcome,
    check_identifier,
    due_state,
    first_catalogue,
    luhn_holds,
    npi_holds,
    orcid_holds,
)
from marketplace.specialists.rules.catalogue import clean_jurisdiction, format_of
from marketplace.specialists.rules.checks import normal_form

DIGITS = st.text("0123456789", min_size=1, max_size=20)
TYPES = first_catalogue().types
NOW = datetime(2026, 7, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "npi", ["1234567893", "1558598797", "1770626038", "1497758122", "1972902351"]
)
def test_known_npis_hold(npi: str) -> None:
    assert npi_holds(npi)


@pytest.mark.parametrize(
    "npi", ["1234567890", "3234567893", "123456789", "12345678931", "\uff11234567893"]
)
def test_what_is_no_npi(npi: str) -> None:
    assert not npi_holds(npi)


@settings(deadline=None)
@given(DIGITS)
def test_one_digit_closes_a_luhn_number(stem: str) -> None:
    assert 1 == sum(luhn_holds(stem + str(digit)) for digit in range(10))


@settings(deadline=None)
@given(DIGITS, st.data())
def test_luhn_sees_one_wrong_digit(stem: str, data: st.DataObject) -> None:
    whole = next(stem + str(digit) for digit in range(10) if luhn_holds(stem + str(digit)))
    at = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.sampled_from("0123456789"))
    assume(other != whole[at])

    assert not luhn_holds(whole[:at] + other + whole[at + 1 :])


@settings(deadline=None)
@given(st.text("0123456789", min_size=15, max_size=15), st.data())
def test_orcid_sees_one_wrong_digit_and_neighbours_exchanged(
    stem: str, data: st.DataObject
) -> None:
    (last,) = [each for each in "0123456789X" if orcid_holds(stem + each)]
    at = data.draw(st.integers(0, 13))
    other = data.draw(st.sampled_from("0123456789"))
    wrong = stem[:at] + other + stem[at + 1 :]
    exchanged = stem[:at] + stem[at + 1] + stem[at] + stem[at + 2 :]

    assert (wrong == stem) == orcid_holds(wrong + last)
    assert (exchanged == stem) == orcid_holds(exchanged + last)


def test_known_orcids() -> None:
    assert orcid_holds("0000-0002-1825-0097")
    assert orcid_holds("0000-0002-1694-233x")
    assert not orcid_holds("0000-0002-1825-0098")


@pytest.mark.parametrize("key", TYPES)
def test_the_catalogue_fits_itself(key: str) -> None:
    kind = TYPES[key]

    assert key == kind.key
    assert kind.profession in first_catalogue().professions
    for place, known in kind.formats.items():
        where = place.replace("US-*", "US-OH").replace("*", "")
        assert clean_jurisdiction(kind, where) in {where, ""}
        assert Outcome.PASS is check_identifier(kind, where, known.example).outcome


def test_a_wrong_identifier_says_how_it_is_written() -> None:
    with pytest.raises(Faulty) as faulty:
        check_identifier(TYPES["us_bar"], "US-NY", "12")
    assert "seven digits" in faulty.value.faults[0].message

    with pytest.raises(Faulty, match="cannot be right"):
        check_identifier(TYPES["npi"], "US", "1234567890")
    with pytest.raises(Faulty, match="not well formed"):
        check_identifier(TYPES["us_bar"], "US-OH", "x" * 100)


def test_an_unknown_format_says_nothing() -> None:
    verdict = check_identifier(TYPES["us_bar"], "US-OH", "0091234")

    assert (Outcome.INCONCLUSIVE, 0) == (verdict.outcome, verdict.level)
    assert format_of(TYPES["us_bar"], "US-OH") is None


@pytest.mark.parametrize(
    ("key", "place", "written"),
    [
        ("gmc", "GB", ["C1234567", "1234567", " c 123 4567 "]),
        ("us_bar", "US-CA", ["012345", "12345", "12 345"]),
        (
            "orcid",
            "",
            [
                "0000-0002-1694-233X",
                "000000021694233x",
                "https://orcid.org/0000-0002-1694-233X",
                "http://www.orcid.org/0000-0002-1694-233x/",
                "orcid.org/0000-0002-1694-233X",
            ],
        ),
    ],
)
def test_ways_of_writing_are_one_identifier(key: str, place: str, written: list[str]) -> None:
    kind = TYPES[key]

    assert 1 == len({normal_form(kind, place, each) for each in written})


@pytest.mark.parametrize(
    ("key", "place"), [("npi", "US-CA"), ("us_bar", "US"), ("us_bar", "US-ZZ"), ("gmc", "DE")]
)
def test_jurisdictions_that_do_not_fit(key: str, place: str) -> None:
    with pytest.raises(Faulty, match="jurisdiction"):
        clean_jurisdiction(TYPES[key], place)


def due(
    valid_until: date | None, checked_days_ago: int, state: CredentialState
) -> tuple[CredentialState, str] | None:
    return due_state(state, valid_until, NOW - timedelta(days=checked_days_ago), NOW)


def test_what_time_does() -> None:
    verified, soon = CredentialState.VERIFIED, CredentialState.EXPIRING_SOON
    today = NOW.date()

    assert due(today + timedelta(days=61), 1, verified) is None
    assert (soon, "licence_expires_soon") == due(today + timedelta(days=60), 1, verified)
    assert due(today, 1, soon) is None
    assert (CredentialState.EXPIRED, "licence_expired") == due(
        today - timedelta(days=1), 1, verified
    )
    assert due(None, 364, verified) is None
    assert (CredentialState.EXPIRED, "not_reverified") == due(None, 365, soon)


@settings(deadline=None)
@given(
    st.sampled_from(CredentialState),
    st.none() | st.integers(-500, 500),
    st.integers(0, 500),
)
def test_time_takes_legal_steps_only_and_then_rests(
    state: CredentialState, days: int | None, ago: int
) -> None:
    until = None if days is None else NOW.date() + timedelta(days=days)
    step = due(until, ago, state)

    if step is None:
        return
    assert state in HOLDING
    assert step[0] in NEXT[state]
    assert due(until, ago, step[0]) is None


def test_every_state_is_reached() -> None:
    reached = {CredentialState.CLAIMED, CredentialState.BLOCKED}
    for _ in CredentialState:
        reached |= {after for before in reached for after in NEXT[before]}

    assert set(CredentialState) == reached
