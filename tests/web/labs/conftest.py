"""A lab, and a browser in which its owner is signed in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from tests.make import identity
from tests.web.conftest import Browser


@pytest.fixture
def lab(session: Session) -> Actor:
    """The owner of a lab."""
    return identity.lab_owner(session, name="Northlight")


@pytest.fixture
def owner(browse: Callable[[], Browser], session: Session, lab: Actor) -> Browser:
    """The browser of the lab's owner."""
    return browse().sign_in(session, lab)
