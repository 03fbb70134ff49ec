"""What two people confirmed counts, also where it was found by the name alone."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from marketplace.identity.rules import Role
from marketplace.specialists.queries.lists import open_hits, payouts_held
from marketplace.specialists.service.hits import confirm_hit, propose_hit, reopen_hit
from tests.make import identity, lists
from tests.specialists.test_lists import NOTE, TALVIK, hits_of, licence_of, screened, talvik


@pytest.mark.parametrize("source", ["leie", "ofac"])
def test_a_confirmed_hit_by_name_alone_counts(session: Session, source: str) -> None:
    person = talvik(session, born_on=None)
    first, second = (identity.staff(session, Role.OPERATIONS) for _ in range(2))
    if source == "leie":
        screened(lists.leie(TALVIK))
    else:
        screened(lists.ofac(lists.Designated(41, "TALVIK, Mirena")))
    assert [("open", "weak", None)] == hits_of(session, person)
    before = licence_of(session, person).state.value, payouts_held(session, [person.person()])

    (hit,) = open_hits(session, person.person())
    propose_hit(session, first, hit.id, note=NOTE)
    confirm_hit(session, second, hit.id, note=NOTE)
    session.flush()
    after = licence_of(session, person).state.value, payouts_held(session, [person.person()])

    assert ("verified", set()) == before
    if source == "ofac":
        assert ("verified", {person.person()}) == after
    else:
        assert ("suspended", set()) == after
    reopen_hit(session, first, hit.id, note=NOTE)
    assert before == (
        licence_of(session, person).state.value,
        payouts_held(session, [person.person()]),
    )
