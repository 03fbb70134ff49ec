"""What a lab may know: as it held, under its own pseudonym, shared by at least five."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.identity.rules import Role
from marketplace.secrets import pseudonym
from marketplace.specialists import queries, service
from marketplace.specialists.queries import Attested
from marketplace.specialists.rules.coarsening import (
    COARSEST,
    CROWD_MIN,
    Cell,
    Record,
    coarse,
    coarsened,
)
from tests.make import identity
from tests.make import specialists as make

CELLS = st.builds(
    Cell,
    profession=st.sampled_from(["medicine", "law"]),
    specialties=st.sampled_from([("cardiology",), ("oncology",), ("cardiology", "oncology")]),
    jurisdiction=st.sampled_from(["US-CA", "US-NY", "GB", ""]),
    level=st.integers(2, 4),
    month=st.sampled_from([date(2026, 10, 1), date(2026, 11, 1)]),
)
RECORDS = st.lists(CELLS, min_size=1, max_size=2, unique=True).map(lambda each: tuple(sorted(each)))
CROWDS = st.lists(st.tuples(st.integers(0, 40), RECORDS), max_size=60)


@given(CROWDS)
def test_no_released_record_has_fewer_than_five_people(crowd: list[tuple[int, Record]]) -> None:
    """Unless nothing is left to leave out of it."""
    released = coarsened(crowd)
    people: dict[Record, set[int]] = defaultdict(set)
    for (person, _), record in released.items():
        people[record].add(person)

    assert [] == [
        record
        for record, sharing in people.items()
        if len(sharing) < CROWD_MIN and record != coarse(record, COARSEST)
    ]
    assert set(crowd) == set(released)


@given(CROWDS)
def test_what_is_released_is_true(crowd: list[tuple[int, Record]]) -> None:
    """Each record says what its own says, with something left out."""
    assert [] == [
        own
        for (_, own), record in coarsened(crowd).items()
        if record not in {coarse(own, step) for step in range(COARSEST + 1)}
    ]


@given(CROWDS, st.randoms(use_true_random=False))
def test_the_order_does_not_matter(crowd: list[tuple[int, Record]], chance: object) -> None:
    """The same crowd, the same releases."""
    mixed = list(crowd)
    chance.shuffle(mixed)  # type: ignore[attr-defined]

    assert dict(coarsened(crowd)) == dict(coarsened(mixed))


def test_steps_leave_out_the_month_then_specialties_then_the_place() -> None:
    """What is worth least goes first."""
    cell = Cell("medicine", ("cardiology",), "US-CA", 4, date(2026, 11, 1))

    assert [
        ("cardiology", "US-CA", True),
        ("cardiology", "US-CA", False),
        ("", "US-CA", False),
        ("", "US", False),
        ("", "", False),
    ] == [
        ("".join(one.specialties), one.jurisdiction, one.month is not None)
        for step in range(COARSEST + 1)
        for one in coarse((cell,), step)
    ]


def test_five_alike_are_told_and_the_sixth_is_not(session: Session) -> None:
    """A neurologist alone among cardiologists is a doctor, no more."""
    staff = identity.staff(session, Role.OPERATIONS)
    lab = identity.lab_owner(session)
    alike = [identity.specialist(session) for _ in range(5)]
    for doctor in alike:
        make.verified(session, doctor, staff=staff)
    alone = identity.specialist(session)
    make.verified(session, alone, staff=staff, specialties=("neurology",))

    found = queries.attested(
        session, lab.organisation(), [doctor.person() for doctor in (*alike, alone)]
    )

    month = clock.now().date().replace(day=1)
    assert (Attested("medicine", ("cardiology",), "US-CA", 4, month),) == (
        found[alike[0].person()].credentials
    )
    assert (Attested("medicine", (), "", 4, None),) == found[alone.person()].credentials


def test_members_of_the_lab_hide_nobody(session: Session) -> None:
    """The lab knows them; they are no crowd."""
    staff = identity.staff(session, Role.OPERATIONS)
    lab = identity.lab_owner(session, is_specialist=True)
    doctors = [identity.specialist(session) for _ in range(4)]
    for doctor in (*doctors, identity.specialist_self(lab)):
        make.verified(session, doctor, staff=staff)

    (of_lab,) = queries.attested(session, lab.organisation(), [doctors[0].person()]).values()
    elsewhere = identity.lab_owner(session).organisation()
    (of_other,) = queries.attested(session, elsewhere, [doctors[0].person()]).values()

    assert ("", "US-CA") == (
        of_lab.credentials[0].jurisdiction,
        of_other.credentials[0].jurisdiction,
    )
    assert of_lab.pseudonym != of_other.pseudonym
    assert of_lab.pseudonym == pseudonym(str(lab.organisation()), str(doctors[0].person()))


def test_a_lab_reads_what_held_at_the_time(session: Session) -> None:
    """Not before it was shown, and also after it was lost, for what was done meanwhile."""
    staff = identity.staff(session, Role.OPERATIONS)
    lab = identity.lab_owner(session).organisation()
    doctor = identity.specialist(session)
    before = clock.now()
    claim = make.verified(session, doctor, level=4, staff=staff)
    held = clock.now()
    with clock.shifted(timedelta(days=1)):
        service.decide_credential(session, staff, claim.id, outcome="suspend", note=make.NOTE)
        after = clock.now()
    person = doctor.person()

    found = queries.attested_at(session, lab, [(person, before), (person, held), (person, after)])

    levels = {at: [each.level for each in one.credentials] for (_, at), one in found.items()}
    assert {before: [], held: [4], after: []} == levels
    assert () == queries.attested(session, lab, [person], before)[person].credentials
