"""Rotating encryption keys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import Engine, text

from marketplace import secrets
from marketplace.cli.secrets import encrypted_columns, rotate_all
from marketplace.db import transaction
from marketplace.identity import queries, service
from marketplace.settings import Settings
from tests.make import identity as make


@pytest.fixture
def keys(settings: Settings) -> Iterator[tuple[str, str]]:
    """A new key, and the one in use; afterwards only the one in use counts again."""
    yield Fernet.generate_key().decode(), settings.encryption_keys[0]
    secrets.use_keys(settings.encryption_keys, settings.pseudonym_key)


def test_after_rotation_the_old_key_may_go(
    committed: Engine, settings: Settings, keys: tuple[str, str]
) -> None:
    new, old = keys
    with transaction() as session:
        people = [make.lab_owner(session) for _ in range(5)]
        plain = [service.start_totp(session, one)[0] for one in people]
    secrets.use_keys((new, old), settings.pseudonym_key)

    counts = dict(rotate_all(new, batch=2))

    assert 5 == counts["person.totp_secret"]
    secrets.use_keys((new,), settings.pseudonym_key)
    with transaction() as session:
        assert plain == [queries.person_of(session, one).totp_secret for one in people]
        stored = session.scalars(text("SELECT totp_secret FROM person")).all()
    for sealed in stored:
        with pytest.raises(InvalidToken):
            Fernet(old).decrypt(bytes(sealed))


def test_a_rotation_that_was_stopped_goes_on(
    committed: Engine, settings: Settings, keys: tuple[str, str]
) -> None:
    new, old = keys
    with transaction() as session:
        service.start_totp(session, make.lab_owner(session))
    secrets.use_keys((new, old), settings.pseudonym_key)
    with transaction() as session:
        service.start_totp(session, make.lab_owner(session))

    first, second = dict(rotate_all(new)), dict(rotate_all(new))

    assert (1, 0) == (first["person.totp_secret"], second["person.totp_secret"])


def test_every_encrypted_column_is_found() -> None:
    found = {f"{column.table.name}.{column.name}" for column in encrypted_columns()}

    assert {"person.totp_secret", "mail_message.to", "mail_message.body"} <= found
