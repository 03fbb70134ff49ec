"""The small words of the kernel: ids, the clock, errors, who acts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from marketplace import clock, errors
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Denied, Fault, Faulty, TooOften
from marketplace.ids import OrganisationId, PersonId, new_id, parse_id, reference


def test_ids_sort_by_when_they_were_made() -> None:
    ids = [new_id() for _ in range(5_000)]

    assert sorted(set(ids)) == ids
    assert {7} == {made.version for made in ids}


def test_only_the_canonical_spelling_is_an_id() -> None:
    made = new_id()

    assert made == parse_id(str(made)) == parse_id(str(made).upper())
    for odd in (made.hex, f"{{{made}}}", f"urn:uuid:{made}", f" {made}", "", "7"):
        assert parse_id(odd) is None


def test_references_are_padded_and_may_grow() -> None:
    assert "PO-2026-0042" == reference("PO", 2026, 42)
    assert "J-2026-12345" == reference("J", 2026, 12_345)


def test_the_clock_is_aware_and_can_be_shifted() -> None:
    before = clock.now()
    with clock.shifted(timedelta(days=1)), clock.shifted(timedelta(hours=-1)):
        shifted = clock.now()
    with pytest.raises(ZeroDivisionError), clock.shifted(timedelta(days=9)):
        _ = 1 / 0

    assert UTC is before.tzinfo
    assert timedelta(hours=23) <= shifted - before < timedelta(hours=23, minutes=1)
    assert clock.now() - before < timedelta(minutes=1)


def test_the_book_has_its_own_midnight() -> None:
    late = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)

    assert date(2026, 3, 31) == clock.book_day(late, "UTC")
    assert date(2026, 4, 1) == clock.book_day(late, "Europe/Berlin")
    assert date(2026, 3, 31) == clock.book_day(late, "America/New_York")


def test_every_refusal_has_a_code_of_its_own() -> None:
    kinds: list[type[errors.Refused]] = [errors.Refused, *errors.Refused.__subclasses__()]
    ours = [kind for kind in kinds if kind.__module__ == "marketplace.errors"]

    assert len(ours) == len({kind.code for kind in ours})
    assert "own" == errors.Refused("…", code="own").code
    assert "refused" == errors.Refused("…").code
    assert not issubclass(errors.GatewayError, errors.Refused)


def test_errors_carry_what_the_caller_needs() -> None:
    fault = Fault("/pay", "Write an amount.")

    assert (fault,) == Faulty("Mend this.", [fault]).faults
    assert 7 == TooOften("Wait.", retry_after_seconds=7).retry_after_seconds
    assert "Mend this." == str(Faulty("Mend this."))


def test_an_actor_may_what_was_granted_and_no_more() -> None:
    person = PersonId(UUID(int=1))
    actor = Actor(person, OrganisationId(UUID(int=2)), frozenset({"jobs.view"}))

    actor.require("jobs.view")
    with pytest.raises(Denied, match=r"jobs\.edit"):
        actor.require("jobs.edit")
    assert (person, UUID(int=2)) == (actor.person(), actor.organisation())
    assert not actor.is_system


def test_the_system_may_everything_and_is_nobody() -> None:
    SYSTEM.require("anything.at.all")

    assert SYSTEM.is_system
    with pytest.raises(Denied):
        SYSTEM.person()
    with pytest.raises(Denied):
        SYSTEM.organisation()


def test_a_person_without_an_organisation_is_asked_to_choose() -> None:
    with pytest.raises(Denied, match="Choose"):
        Actor(PersonId(uuid4())).organisation()
