"""Editions of published lists: loaded once, told apart by what changed, screened, decided."""

from __future__ import annotations

import io
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict, Denied, Faulty, Missing
from marketplace.identity.rules import Role
from marketplace.specialists import queries, service
from marketplace.specialists.background import load_files
from marketplace.specialists.models import (
    CredentialClaim,
    ListEntry,
    ListRowStaged,
    ReferenceSnapshot,
    SanctionHit,
)
from marketplace.specialists.queries.lists import (
    Difference,
    differences,
    hit_of,
    open_hits,
    payouts_held,
    standings,
)
from marketplace.specialists.rules import CredentialState, Outcome
from marketplace.specialists.rules.lists import HitGrade, PublishedList, SnapshotState
from marketplace.specialists.service.hits import (
    clear_hit,
    confirm_hit,
    propose_hit,
    reopen_expired,
    reopen_hit,
)
from marketplace.specialists.service.lists import ListFile, begin_snapshot, current_snapshot
from marketplace.specialists.service.screening import list_verdict
from tests.make import background, identity, lists, specialists

NOTE = "Compared the birth date and the address with the entry."
LEIE, OFAC = PublishedList.LEIE, PublishedList.OFAC
TALVIK = lists.Excluded("TALVIK", "MIRENA", born="19610207", state="NY")
OTHERS = tuple(lists.some_excluded(300))


def screened(snapshot: ReferenceSnapshot) -> ReferenceSnapshot:
    """What the worker does after a load."""
    background.run("specialists.screen_edition", snapshot_id=str(snapshot.id))
    return snapshot


def talvik(session: Session, *, born_on: str | None = "1961-02-07", level: int = 3) -> Actor:
    """A specialist with a verified licence of California who has the name of an entry."""
    person = identity.specialist(session, name="Mirena Talvik")
    service.save_profile(session, person, professions=["medicine"], born_on=born_on)
    specialists.verified(session, person, level=level)
    session.flush()
    return person


def hits_of(session: Session, person: Actor) -> list[tuple[str, str, str | None]]:
    """State, grade and reason of all of a person's hits."""
    rows = select(SanctionHit).where(SanctionHit.person_id == person.person())
    session.expire_all()
    return [
        (hit.state.value, hit.grade.value, hit.reason)
        for hit in session.scalars(rows.order_by(SanctionHit.id))
    ]


def licence_of(session: Session, person: Actor) -> CredentialClaim:
    """The person's one credential, as it is now."""
    session.expire_all()
    (claim,) = queries.credentials_of(session, person, person.person())
    return claim


def test_an_edition_is_loaded_once(session: Session) -> None:
    """The same files again are the same snapshot, and repeated rows one entry."""
    first = lists.leie(*OTHERS, TALVIK)
    again = lists.leie(*OTHERS, TALVIK)
    people = {(row.last, row.first, row.middle, row.born, row.listed) for row in OTHERS if row.last}

    assert first.id == again.id
    assert 316 == first.row_count
    assert len(people) + 1 == first.entries == first.added
    assert (0, 0) == (first.removed, first.changed)
    assert 0 == session.scalar(select(func.count()).select_from(ListRowStaged))


def test_a_list_of_nobody_is_no_edition(session: Session) -> None:
    """Everybody would pass it, and every open hit would close."""
    before = lists.leie(TALVIK)
    head_only = lists.leie()
    businesses = lists.leie(lists.Excluded("", "", business="ZOLVIK CLINIC"))

    assert [SnapshotState.FAILED] * 2 == [head_only.state, businesses.state]
    assert "everybody would pass" in (head_only.failure or "")
    current = current_snapshot(session, PublishedList.LEIE)
    assert current is not None
    assert before.id == current.id


def test_the_next_edition_says_what_changed(session: Session) -> None:
    """Added, removed and changed people, each with what was said before."""
    staff = identity.staff(session, Role.OPERATIONS)
    lists.leie(*OTHERS, TALVIK)
    moved = lists.Excluded("TALVIK", "MIRENA", born="19610207", state="TX")
    newcomer = lists.Excluded("ZOLVIK", "KORENA", born="19700101")
    second = lists.leie(*OTHERS[3:], moved, newcomer)

    assert (1, 3, 1) == (second.added, second.removed, second.changed)
    ((added, _),) = differences(session, staff, second.id, Difference.ADDED)
    ((now, before),) = differences(session, staff, second.id, Difference.CHANGED)
    assert before is not None
    assert ["ZOLVIK, KORENA"] == added.names
    assert (["US-NY"], ["US-TX"]) == (before.places, now.places)
    assert 3 == len(differences(session, staff, second.id, Difference.REMOVED))


def test_an_edition_cut_short_is_refused_unless_it_is_accepted(session: Session) -> None:
    """Else a half of a file would let half of the people go."""
    lists.leie(*OTHERS)
    short = lists.leie(*OTHERS[:150])
    kept = session.scalar(select(func.count()).where(ListEntry.until_id.is_(None)))
    accepted = lists.leie(*OTHERS[:150], shrink_accepted=True)

    assert "failed" == short.state
    assert "are missing in this one" in (short.failure or "")
    assert 280 < (kept or 0)
    assert ("loaded", 0) == (accepted.state, accepted.added)


def test_another_file_fails_and_changes_nothing(session: Session) -> None:
    """The edition before goes on counting, and the right file may be loaded."""
    good = lists.leie(TALVIK)
    wrong = lists.loaded(LEIE, b"A,B\n1,2\n")

    assert ("failed", True) == (wrong.state, "no column" in (wrong.failure or ""))
    current = current_snapshot(session, LEIE)
    assert current is not None
    assert good.id == current.id


def test_an_older_edition_and_a_second_load_are_refused(session: Session) -> None:
    """Lists only go forward, one load at a time."""
    lists.leie(TALVIK)
    with pytest.raises(Faulty):
        lists.leie(*OTHERS, source_on=clock.now().date() - timedelta(days=3))
    begin_snapshot(session, SYSTEM, LEIE, [ListFile("a.csv", "aa")])
    with pytest.raises(Conflict):
        begin_snapshot(session, SYSTEM, LEIE, [ListFile("b.csv", "bb")])


def test_a_load_that_was_cut_off_goes_on_from_the_start(session: Session) -> None:
    """A second try stages no row twice."""
    content = lists.leie_csv([*OTHERS, TALVIK])
    file = ListFile("UPDATED.csv", "cc")
    snapshot, _ = begin_snapshot(session, SYSTEM, LEIE, [file])

    def cut_off(read: int) -> None:
        raise KeyboardInterrupt(read)

    with pytest.raises(KeyboardInterrupt):
        load_files(snapshot, [io.BytesIO(content)], cut_off)
    _, unfinished = begin_snapshot(session, SYSTEM, LEIE, [file])
    done = load_files(snapshot, [io.BytesIO(content)])

    assert unfinished
    assert ("loaded", 316) == (done.state, done.row_count)


def test_a_strong_hit_suspends_until_it_is_cleared(session: Session) -> None:
    """The same day of birth and the name; cleared, the credential counts again."""
    person = talvik(session)
    staff = identity.staff(session, Role.OPERATIONS)
    screened(lists.leie(*OTHERS, TALVIK))
    (hit,) = open_hits(session, person.person())
    suspended = licence_of(session, person)

    assert (HitGrade.STRONG, ["birth", "name"]) == (hit.grade, hit.matched)
    assert (CredentialState.SUSPENDED, "list_hit") == (suspended.state, suspended.reason)

    clear_hit(session, staff, hit.id, note=NOTE)

    assert CredentialState.VERIFIED is licence_of(session, person).state
    assert [("cleared", "strong", "another_person")] == hits_of(session, person)


def test_a_clearance_holds_for_the_entry_and_runs_out(session: Session) -> None:
    """The same entry, also changed, does not open it again; time does."""
    person = talvik(session)
    staff = identity.staff(session, Role.OPERATIONS)
    screened(lists.leie(TALVIK))
    (hit,) = open_hits(session, person.person())
    clear_hit(session, staff, hit.id, note=NOTE)
    screened(lists.leie(lists.Excluded("TALVIK", "MIRENA", born="19610207", state="PA")))
    background.run("specialists.screen", person_id=str(person.person()))
    assert [("cleared", "strong", "another_person")] == hits_of(session, person)

    hit = session.get_one(SanctionHit, hit.id)
    hit.expires_at = clock.now() - timedelta(seconds=1)
    session.flush()
    background.run("specialists.look_at_lists")

    assert [("open", "strong", "clearance_expired")] == hits_of(session, person)
    assert CredentialState.SUSPENDED is licence_of(session, person).state
    assert 0 == reopen_expired(session)


def test_a_reinstated_person_is_free_again(session: Session) -> None:
    """Who leaves the list, has no hit."""
    person = talvik(session)
    screened(lists.leie(*OTHERS, TALVIK))
    screened(lists.leie(*OTHERS))

    assert [("closed", "strong", "left_list")] == hits_of(session, person)
    assert CredentialState.VERIFIED is licence_of(session, person).state


def test_a_name_alone_suspends_nobody_and_keeps_below_level_4(session: Session) -> None:
    """It waits for a person to look, who clears it."""
    person = talvik(session, born_on=None, level=4)
    staff = identity.staff(session, Role.OPERATIONS)
    screened(lists.leie(TALVIK))
    (hit,) = open_hits(session, person.person())
    claim = licence_of(session, person)

    assert (HitGrade.WEAK, CredentialState.VERIFIED, 3) == (hit.grade, claim.state, claim.level)

    clear_hit(session, staff, hit.id, note=NOTE)

    assert 4 == licence_of(session, person).level


def test_more_evidence_opens_a_cleared_weak_hit_again(session: Session) -> None:
    """The birth date that was missing turns out to be the entry's."""
    person = talvik(session, born_on=None)
    staff = identity.staff(session, Role.OPERATIONS)
    screened(lists.leie(TALVIK))
    (hit,) = open_hits(session, person.person())
    clear_hit(session, staff, hit.id, note=NOTE)
    service.save_profile(session, person, born_on="1961-02-07")
    background.run("specialists.screen", person_id=str(person.person()))

    assert [("open", "strong", "new_evidence")] == hits_of(session, person)


def test_the_same_name_with_another_birth_date_is_nobody(session: Session) -> None:
    """And neither is somebody without a number on a list full of noughts."""
    person = talvik(session, born_on="1984-03-21")
    screened(lists.leie(TALVIK, *OTHERS))

    assert [] == hits_of(session, person)
    assert Outcome.PASS is list_verdict(session, licence_of(session, person), LEIE).outcome


def test_a_new_name_is_compared_with_all_of_the_list(session: Session) -> None:
    """Not only with what the last edition changed; and the old name's hit fits no more."""
    person = identity.specialist(session, name="Somebody Else")
    service.save_profile(session, person, professions=["medicine"], born_on="1961-02-07")
    specialists.verified(session, person)
    screened(lists.leie(*OTHERS, TALVIK))
    screened(lists.leie(*OTHERS[1:], TALVIK))
    assert [] == hits_of(session, person)

    service.save_profile(session, person, legal_name="Mirena Talvik")
    background.run("specialists.screen", person_id=str(person.person()))
    assert [("open", "strong", None)] == hits_of(session, person)

    service.save_profile(session, person, legal_name="Somebody Else")
    background.run("specialists.screen", person_id=str(person.person()))
    assert [("closed", "strong", "fits_no_more")] == hits_of(session, person)


def test_two_people_confirm_a_hit(session: Session) -> None:
    """One says that it is the same person, another confirms; nobody does both."""
    person = talvik(session)
    first, second = (identity.staff(session, Role.OPERATIONS) for _ in range(2))
    screened(lists.leie(TALVIK))
    (hit,) = open_hits(session, person.person())

    with pytest.raises(Conflict):
        confirm_hit(session, first, hit.id, note=NOTE)
    propose_hit(session, first, hit.id, note=NOTE)
    with pytest.raises(Denied):
        confirm_hit(session, first, hit.id, note=NOTE)
    confirm_hit(session, second, hit.id, note=NOTE)

    assert [("confirmed", "strong", "same_person")] == hits_of(session, person)
    assert CredentialState.SUSPENDED is licence_of(session, person).state

    reopen_hit(session, first, hit.id, note=NOTE)
    assert [("open", "strong", "looked_at_again")] == hits_of(session, person)


def test_a_decision_needs_a_note_and_another_person(session: Session) -> None:
    """And one's own hit is not even there."""
    person = talvik(session)
    staff = identity.staff(session, Role.OPERATIONS)
    screened(lists.leie(TALVIK))
    (hit,) = open_hits(session, person.person())
    oneself = Actor(person.person(), permissions=staff.permissions, roles=staff.roles)

    with pytest.raises(Faulty):
        clear_hit(session, staff, hit.id, note="no")
    with pytest.raises(Denied):
        clear_hit(session, oneself, hit.id, note=NOTE)
    with pytest.raises(Missing):
        hit_of(session, oneself, hit.id)
    with pytest.raises(Denied):
        clear_hit(session, person, hit.id, note=NOTE)


def test_a_strong_hit_of_ofac_holds_payouts_and_suspends_nothing(session: Session) -> None:
    """The money waits; the licence is what it is."""
    person = talvik(session)
    screened(lists.ofac(lists.Designated(9, "TALVIK, Mirena", born="07 Feb 1961")))

    assert {person.person()} == payouts_held(session)
    assert {person.person()} == payouts_held(session, [person.person()])
    assert CredentialState.VERIFIED is licence_of(session, person).state


def test_without_an_edition_a_list_says_nothing(session: Session) -> None:
    """Unavailable, which changes no state."""
    person = talvik(session)
    claim = licence_of(session, person)
    staff = identity.staff(session, Role.OPERATIONS)

    assert Outcome.UNAVAILABLE is list_verdict(session, claim, "leie").outcome
    assert [None, None] == [each.edition for each in standings(session, staff)]


def test_an_old_list_is_told_of_once_a_month(session: Session) -> None:
    """By mail to those who verify, and on the page."""
    staff = identity.staff(session, Role.OPERATIONS)
    lists.leie(TALVIK, source_on=clock.now().date() - timedelta(days=45))
    for _ in range(2):
        background.run("specialists.look_at_lists")
        background.run_all()

    (standing, _) = standings(session, staff)
    assert (True, LEIE) == (standing.is_old, standing.source)
    assert 1 == mails(session, "credential_list_old")
    assert isinstance(standing.edition.source_on if standing.edition else None, date)


def mails(session: Session, template: str) -> int:
    """How many letters of a template were written."""
    from marketplace.mail import Message  # noqa: PLC0415

    return session.scalar(select(func.count()).where(Message.template == template)) or 0
