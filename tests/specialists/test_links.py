"""Households by a code that people share, and devices by a cookie."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.errors import Faulty
from marketplace.specialists.models import PersonLink
from marketplace.specialists.rules.links import LinkKind
from marketplace.specialists.service import links
from tests.make import identity


def marks(session: Session, kind: LinkKind) -> list[bytes]:
    """Everybody's marks of a kind."""
    return list(session.scalars(select(PersonLink.link_hash).where(PersonLink.kind == kind)))


def test_a_household_is_one_mark_and_the_code_is_not_kept(session: Session) -> None:
    one, other = identity.specialist(session), identity.specialist(session)

    code = links.found_household(session, one)
    links.declare_household(session, other, f" {code.lower().replace('-', ' ')}")

    found = marks(session, LinkKind.HOUSEHOLD)
    assert 2 == len(found)
    assert 1 == len(set(found))
    assert code.replace("-", "").encode() not in found[0]
    links.leave_household(session, other)
    assert 1 == len(marks(session, LinkKind.HOUSEHOLD))


@pytest.mark.parametrize("typed", ["", "ABCD", "ABCD-EFGH-JKM0", "ABCD-EFGH-JKMN"])
def test_a_code_that_nobody_has_is_refused_in_words(session: Session, typed: str) -> None:
    with pytest.raises(Faulty) as refused:
        links.declare_household(session, identity.specialist(session), typed)

    assert ["/code"] == [fault.pointer for fault in refused.value.faults]


def test_the_devices_used_last_are_kept(session: Session) -> None:
    person = identity.specialist(session).person()

    for at in range(links.DEVICES_MAX + 2):
        with clock.shifted(timedelta(minutes=at)):
            links.seen_device(session, person, f"cookie {at}")
            links.seen_device(session, person, "always the same")

    assert links.DEVICES_MAX == len(marks(session, LinkKind.DEVICE))
    links.seen_device(session, person, "always the same")
    assert links.DEVICES_MAX == len(marks(session, LinkKind.DEVICE))
