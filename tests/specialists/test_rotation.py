"""Keys of identifiers: rotated, old claims read on and still stand in the way of others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import secrets
from marketplace.cli.secrets import encrypted_columns, rotate_all
from marketplace.errors import Conflict
from marketplace.settings import Settings
from marketplace.specialists.models import CredentialClaim
from marketplace.specialists.rules import CredentialState
from tests.make import identity, specialists


@pytest.fixture
def keys(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """The old key, a new one and the key of pseudonyms; the test's own are back afterwards."""
    yield settings.encryption_keys[0], Fernet.generate_key().decode(), settings.pseudonym_key
    secrets.use_keys(settings.encryption_keys, settings.pseudonym_key)


def states(session: Session) -> list[tuple[str, str | None]]:
    """State and identifier of every claim, oldest first, as the database has them."""
    session.expire_all()
    rows = select(CredentialClaim).order_by(CredentialClaim.id)
    return [(claim.state.value, claim.identifier) for claim in session.scalars(rows)]


def test_claims_of_the_old_key_block_duplicates_and_read_after_the_rotation(
    session: Session, keys: tuple[str, str, str]
) -> None:
    """The hash for uniqueness hangs on a key of its own, which is not rotated."""
    old, new, pseudonyms = keys
    holder, second, third = (identity.specialist(session) for _ in range(3))
    number = specialists.npi()
    npi = {"type": "npi", "jurisdiction": "US", "identifier": number}
    specialists.claimed(session, holder, **npi)  # type: ignore[arg-type]
    session.flush()

    secrets.use_keys((new, old), pseudonyms)
    blocked = specialists.claimed(session, second, **npi)  # type: ignore[arg-type]
    with pytest.raises(Conflict):
        specialists.claimed(session, holder, **npi)  # type: ignore[arg-type]
    assert CredentialState.BLOCKED is blocked.state
    session.flush()
    session.expunge_all()
    counts = dict(rotate_all(new))
    secrets.use_keys((new,), pseudonyms)

    assert 1 == counts["credential_claim.identifier"]
    assert [("checking", number), ("blocked", number)] == states(session)
    specialists.claimed(session, third, **npi)  # type: ignore[arg-type]
    assert ("blocked", number) == states(session)[2]


def test_every_secret_of_the_slice_is_rotated() -> None:
    """What is encrypted is known to the command."""
    known = {f"{column.table.name}.{column.name}" for column in encrypted_columns()}
    wanted = {
        "credential_claim.identifier",
        "specialist_profile.legal_name",
        "specialist_profile.born_on",
        "sanction_hit.note",
        "payee_hold.account_name",
        "payee_hold.note",
    }

    assert set() == wanted - known
