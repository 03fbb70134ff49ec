"""The register of US providers, asked over real HTTP, in every way in which it misbehaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from marketplace.http_client import AddressRefused, Answer, NoAnswer
from marketplace.ids import new_id
from marketplace.sandbox import addresses
from marketplace.specialists.gateway import Claimed, Subject
from marketplace.specialists.registries.nppes import NppesVerifier
from marketplace.specialists.registries.provider import ShapeChanged, read_providers
from marketplace.specialists.rules import Outcome, Verdict, first_catalogue
from tests.make.billing import Stripe
from tests.make.outside import NAME, NPI, TWIN

NOW = datetime(2026, 7, 15, 12, tzinfo=UTC)
TYPES = first_catalogue().types
NPPES = "us.npi.nppes"
BY_NAME = replace(TYPES["us_medical_license"], verifiers=(NPPES,))


def claimed(identifier: str = NPI) -> Claimed:
    specialty_of = {"207R00000X": "internal_medicine"}
    return Claimed(
        new_id(), TYPES["npi"], "US", identifier, ("internal_medicine",), None, specialty_of
    )


def licence(number: str, place: str = "US-CA") -> Claimed:
    return Claimed(new_id(), BY_NAME, place, number, (), None)


def person(name: str | None = NAME) -> Subject:
    return Subject(legal_name=name, born_on=None, identity=None, account=None)


def ask(world: Stripe, claim: Claimed | None = None, name: str | None = NAME) -> Verdict:
    verifier = NppesVerifier(f"{world.address}{addresses.NPPES}")
    return verifier.verify(claim or claimed(), person(name), NOW)


def test_a_known_number_under_the_same_name_passes_at_level_two(world: Stripe) -> None:
    verdict = ask(world, name="Ashdown, Avery")

    assert (Outcome.PASS, 2, ()) == (verdict.outcome, verdict.level, verdict.reasons)
    assert {"active": True, "taxonomy": ["207R00000X"], "jurisdictions": ["US-CA"]} == (
        verdict.observed
    )
    assert (1.0, True, ["internal_medicine"]) == (
        verdict.match["name_score"],
        verdict.match["jurisdiction"],
        verdict.match["specialties"],
    )
    (evidence,) = verdict.evidence
    assert (64, "2024-07-01", "AVERY ASHDOWN") == (
        len(evidence["sha256"]),
        evidence["source_version"],
        evidence["note"],
    )
    # The question holds the number; the address that is kept does not.
    assert f"{world.address}{addresses.NPPES}" == evidence["url"]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("rate_limit", "rate_limited"),
        ("timeout", "no_answer"),
        ("drop", "no_answer"),
        ("errors", "errors_in_answer"),
        ("changed_types", "shape_changed"),
        ("not_json", "not_json"),
        ("error_503", "status_503"),
    ],
)
def test_a_register_that_misbehaves_says_nothing(world: Stripe, fault: str, reason: str) -> None:
    world.controls.registry_fault(fault, seconds=0.1)

    verdict = ask(world)

    assert (Outcome.UNAVAILABLE, (reason,)) == (verdict.outcome, verdict.reasons)
    assert NOW + timedelta(minutes=1) == verdict.next_check_at
    assert Outcome.PASS is ask(world).outcome


def test_it_is_not_asked_before_it_wants_to_be(world: Stripe) -> None:
    world.controls.registry_fault("rate_limit", seconds=5_400)

    assert NOW + timedelta(minutes=90) == ask(world).next_check_at


def test_a_register_that_is_not_there_says_nothing() -> None:
    verdict = NppesVerifier("http://127.0.0.1:9/").verify(claimed(), person(), NOW)

    assert (Outcome.UNAVAILABLE, ("no_answer",)) == (verdict.outcome, verdict.reasons)


def test_numbers_are_read_as_numbers_too(world: Stripe) -> None:
    world.controls.registry_fault("old_types")

    assert Outcome.PASS is ask(world).outcome


def test_no_such_number_fails(world: Stripe) -> None:
    verdict = ask(world, claimed("1999999992"))

    assert (Outcome.FAIL, ("not_in_registry",)) == (verdict.outcome, verdict.reasons)


@pytest.mark.parametrize(
    ("added", "reason"),
    [
        ({"active": False, "first": "Avery", "last": "Ashdown"}, "deactivated"),
        ({"organisation": "Invented Clinic"}, "organisation"),
        ({"first": "Corwin", "last": "Gildenhart"}, "name_differs"),
    ],
)
def test_whose_number_it_is_matters(world: Stripe, added: dict[str, object], reason: str) -> None:
    number = world.controls.register(stem="150000000", **added)

    verdict = ask(world, claimed(number))

    assert (Outcome.FAIL, (reason,)) == (verdict.outcome, verdict.reasons)


def test_a_name_that_is_nearly_the_same_is_left_to_a_person(world: Stripe) -> None:
    number = world.controls.register(stem="150000001", first="Averi", last="Ashdown")

    verdict = ask(world, claimed(number))
    nameless = ask(world, name=None)

    assert (Outcome.INCONCLUSIVE, ("name_unclear",)) == (verdict.outcome, verdict.reasons)
    assert (Outcome.INCONCLUSIVE, ("name_missing",)) == (nameless.outcome, nameless.reasons)


def test_of_two_people_with_one_name_the_licence_tells(world: Stripe) -> None:
    exact = ask(world, licence("A 009002"), TWIN)
    neither = ask(world, licence("A777777"), TWIN)
    one = ask(world, licence("A777777"), NAME)
    nobody = ask(world, licence("A777777"), "Nobody Atall")
    nameless = ask(world, licence("A777777"), None)

    assert (Outcome.PASS, True) == (exact.outcome, exact.match["licence"])
    assert [
        ("several_people",),
        ("licence_not_listed",),
        ("not_found_by_name",),
        ("name_missing",),
    ] == [each.reasons for each in (neither, one, nobody, nameless)]
    assert {Outcome.INCONCLUSIVE} == {each.outcome for each in (neither, one, nobody, nameless)}


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"result_count": 1, "results": []},
        {"result_count": True, "results": [{}]},
        {"result_count": 1, "results": [{"enumeration_type": "NPI-1", "basic": []}]},
        {"result_count": 1, "results": [{"enumeration_type": "NPI-3", "basic": {}}]},
        {"result_count": 1, "results": [{"enumeration_type": "NPI-1", "basic": {"status": 1}}]},
    ],
)
def test_another_shape_is_refused_and_not_guessed(body: object) -> None:
    with pytest.raises(ShapeChanged):
        read_providers(body)


def test_a_date_in_retry_after_counts() -> None:
    def fetch(url: str, headers: dict[str, str], *, allow_private: bool) -> Answer:
        assert allow_private is True
        return Answer(429, {"retry-after": "Wed, 15 Jul 2026 13:00:00 GMT"}, b"")

    def silence(url: str, headers: dict[str, str], *, allow_private: bool) -> Answer:
        raise NoAnswer("Nobody is there.")

    def inside(url: str, headers: dict[str, str], *, allow_private: bool) -> Answer:
        raise AddressRefused("The name leads into a private network.")

    later = NppesVerifier("http://a.test/", fetch).verify(claimed(), person(), NOW)
    soon = NppesVerifier("http://a.test/", silence).verify(claimed(), person(), NOW)
    refused = NppesVerifier("http://a.test/", inside).verify(claimed(), person(), NOW)

    assert NOW + timedelta(hours=1) == later.next_check_at
    assert NOW + timedelta(minutes=1) == soon.next_check_at
    assert (Outcome.UNAVAILABLE, ("no_answer",)) == (refused.outcome, refused.reasons)
