"""The catalogue: read once and again after a change, mended by operations, never deleted."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from marketplace.audit import AuditRow
from marketplace.errors import Conflict, Denied, Faulty
from marketplace.identity.rules import Role
from marketplace.specialists import queries, service
from marketplace.specialists.models import CredentialClaim, CredentialTypeRow
from marketplace.specialists.rules import catalogue_rows, first_catalogue
from marketplace.specialists.rules.catalogue import look_up_address
from marketplace.specialists.rules.catalogue_edits import cleaned_type
from marketplace.specialists.rules.checks import shown_form
from marketplace.specialists.rules.patterns import pattern_fault
from tests.make import identity
from tests.make import specialists as make

VET: dict[str, Any] = {
    "title": "Veterinary register",
    "profession": "medicine",
    "jurisdictions": ["GB"],
    "formats": [
        {"place": "GB", "pattern": "[0-9]{7}", "description": "seven digits", "example": "1234567"}
    ],
    "look_up": [{"place": "GB", "url": "https://findavet.rcvs.org.uk/{identifier}"}],
    "checklist": list(catalogue_rows.CHECKLIST),
    "verifiers": ["manual"],
    "sold_level": 3,
    "auto_verify": False,
    "two_person": True,
    "expires": True,
    "claimable": True,
    "reverify_days": 365,
    "evidence_days": 90,
}


@pytest.mark.parametrize(
    ("pattern", "example"),
    [("[0-9]{7}", "1234567"), ("C?([0-9]{7})", "C1234567"), ("(?:ME|OS)[0-9]{3,6}", "ME123")],
)
def test_patterns_that_are_exact_are_taken(pattern: str, example: str) -> None:
    assert pattern_fault(pattern, example) is None


@pytest.mark.parametrize(
    ("pattern", "advice"),
    [
        ("(A+)+", "cannot be used"),
        ("[A-Z]*", "cannot be used"),
        ("([A-Z]{1,30}){2,9}", "No count after a group"),
        ("[A-Z]{0,60}[A-Z]{0,60}[A-Z]{0,60}", "too many ways"),
        (
            "(A|A)(A|A)(A|A)(A|A)(A|A)(A|A)(A|A)(A|A)(A|A)(A|A)(A|A)(A|A)(A|A)(A|A)(A|A)(A|A)(A|A)",
            "",
        ),
        ("(?=A)A", "stands after"),
        (r"(A)\1", "cannot be used"),
        ("{3}A", "stands after"),
        ("A{9,2}", "smaller first"),
        ("[Z-A]", "no pattern"),
        ("(A", "no pattern"),
        ("(A)(B)", "one group"),
        ("A?", "empty identifier"),
        ("[0-9]{8}", "example does not match"),
        ("", "1 to 120"),
    ],
)
def test_patterns_that_could_take_long_or_mislead_are_refused(pattern: str, advice: str) -> None:
    began = time.perf_counter()

    found = pattern_fault(pattern, "1234567")

    assert found is not None
    assert advice in found
    assert 1 > time.perf_counter() - began


@pytest.mark.parametrize("row", catalogue_rows.type_rows(), ids=lambda row: row["key"])
def test_what_we_start_with_is_what_operations_may_write(row: dict[str, Any]) -> None:
    fields = {name: row[name] for name in VET}

    assert row["formats"] == cleaned_type(fields, ["medicine", row["profession"]])["formats"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"profession": "alchemy"}, "/profession"),
        ({"jurisdictions": ["Europe"]}, "/jurisdictions"),
        ({"verifiers": ["oracle"]}, "/verifiers"),
        ({"sold_level": 1}, "/sold_level"),
        ({"auto_verify": True}, "/auto_verify"),
        ({"look_up": [{"place": "GB", "url": "http://x.org/"}]}, "/look_up/0/url"),
        ({"look_up": [{"place": "GB", "url": "https://{identifier}.org/"}]}, "/look_up/0/url"),
        ({"look_up": [{"place": "GB", "url": "javascript:alert(1)"}]}, "/look_up/0/url"),
        ({"look_up": [{"place": "GB", "url": "https://a@b.org/"}]}, "/look_up/0/url"),
        ({"formats": [VET["formats"][0] | {"example": "12"}]}, "/formats/0/pattern"),
        ({"checklist": [{"sentence": "Seen.", "level": 9}]}, "/checklist/0/level"),
    ],
)
def test_what_cannot_be_kept_says_where(change: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Faulty) as faulty:
        cleaned_type(VET | change, ["medicine"])

    assert [pointer] == [fault.pointer for fault in faulty.value.faults]


def test_every_process_reads_a_change(session: Session) -> None:
    staff = identity.staff(session, Role.OPERATIONS)
    before = queries.catalogue(session)
    assert before is queries.catalogue(session)

    service.save_profession(session, staff, "veterinary", title=" Veterinary  medicine", new=True)
    service.save_type(session, staff, "rcvs", new=True, **VET | {"profession": "veterinary"})
    service.save_specialty(session, staff, "veterinary", "equine", title="Horses",
                           heading="Animals", nucc_codes=["174m00000x"], new=True)  # fmt: skip
    after = queries.catalogue(session)

    assert "veterinary" not in before.professions
    assert {"equine": "Horses"} == after.professions["veterinary"].specialties
    assert ("174M00000X",) == after.professions["veterinary"].listed["equine"].nucc_codes
    assert ["rcvs"] == list(after.offered_types("veterinary"))
    claim = make.claimed(session, identity.specialist(session), type="rcvs", jurisdiction="gb",
                         identifier="7654321", specialties=("equine",))  # fmt: skip
    assert ("veterinary", 1) == (claim.profession, claim.level)
    verbs = session.scalars(select(AuditRow.facts).where(AuditRow.verb == "added catalogue entry"))
    assert {"profession/veterinary", "type/rcvs", "specialty/veterinary/equine"} == {
        facts["entry"] for facts in verbs
    }


def test_what_is_retired_is_kept_and_not_offered(session: Session) -> None:
    staff = identity.staff(session, Role.OPERATIONS)
    claim = make.claimed(session, identity.specialist(session))

    service.retire_entry(session, staff, "type", "us_medical_license")
    service.retire_entry(session, staff, "specialty", "medicine", "cardiology")

    with pytest.raises(Faulty, match="no such credential"):
        make.claimed(session, identity.specialist(session))
    assert "State medical licence" == queries.claim_of(session, staff, claim.id).kind.title
    assert "Cardiology" == queries.catalogue(session).specialty_title("cardiology")
    with pytest.raises(DBAPIError, match="permission denied"), session.begin_nested():
        session.execute(delete(CredentialTypeRow))
    service.retire_entry(session, staff, "type", "us_medical_license", retired=False)
    assert "us_medical_license" in queries.catalogue(session).offered_types()


def test_new_patterns_compare_what_is_stored(session: Session) -> None:
    staff = identity.staff(session, Role.OPERATIONS)
    service.save_type(session, staff, "rcvs", new=True, **VET)
    row = VET["formats"][0]
    for number in ("0012345", "1912345"):
        make.claimed(session, identity.specialist(session), type="rcvs", identifier=number,
                     jurisdiction="GB", specialties=())  # fmt: skip
    last_five = dict(row) | {"pattern": "[0-9]{2}([0-9]{5})"}
    with pytest.raises(Conflict, match="one identifier"), session.begin_nested():
        service.save_type(session, staff, "rcvs", **VET | {"formats": [last_five]})
    last_six = dict(row) | {"pattern": "[0-9]([0-9]{6})"}
    session.expire_all()
    service.save_type(session, staff, "rcvs", **VET | {"formats": [last_six]})

    again = make.claimed(session, identity.specialist(session), type="rcvs", identifier="9012345",
                         jurisdiction="GB", specialties=())  # fmt: skip
    assert "blocked" == again.state
    assert 3 == len(session.scalars(select(CredentialClaim.id)).all())


def test_only_operations_change_the_catalogue(session: Session) -> None:
    with pytest.raises(Denied):
        service.save_profession(session, identity.specialist(session), "x", title="X", new=True)
    staff = identity.staff(session, Role.OPERATIONS)
    with pytest.raises(Faulty) as faulty:
        service.save_profession(session, staff, "law", title="Law", new=True)
    assert ["/key"] == [fault.pointer for fault in faulty.value.faults]


@pytest.mark.parametrize(
    ("key", "place", "typed", "address"),
    [
        ("gmc", "GB", "C1234567", "https://www.gmc-uk.org/registrants/1234567"),
        ("orcid", "", "0000000218250097", "https://orcid.org/0000-0002-1825-0097"),
        ("github", "", "Mona-Lisa", "https://github.com/Mona-Lisa"),
        ("us_bar", "US-NY", "1234567", "https://iapps.courts.state.ny.us/attorneyservices/search"),
    ],
)
def test_the_link_leads_to_the_record(key: str, place: str, typed: str, address: str) -> None:
    kind = first_catalogue().types[key]

    assert address == look_up_address(kind, place, shown_form(kind, place, typed))
    assert "1234567" not in (look_up_address(kind, place) or "")
