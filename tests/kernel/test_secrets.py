"""Secrets: sealed columns that outlive a rotation, and names that two labs cannot join."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import LargeBinary, cast, select
from sqlalchemy.orm import Session

from marketplace import clock, mail, secrets
from marketplace.ids import new_id
from marketplace.settings import Settings

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
PEPPER = "p" * 32


@pytest.fixture(autouse=True)
def keys(settings: Settings) -> Iterator[None]:
    """Keys of this test's own; afterwards those of the process again."""
    secrets.use_keys([OLD], PEPPER)
    yield
    secrets.use_keys(settings.encryption_keys, settings.pseudonym_key)


def test_what_was_sealed_is_read_and_never_looks_the_same_twice() -> None:
    one, other = secrets.encrypt("Dr. Ünal"), secrets.encrypt("Dr. Ünal")

    assert one != other
    assert "Ünal".encode() not in one
    assert "Dr. Ünal" == secrets.decrypt(one) == secrets.decrypt(other)


def test_a_key_can_be_replaced_without_losing_anything() -> None:
    sealed = secrets.encrypt("kept")
    secrets.use_keys([NEW, OLD], PEPPER)
    turned = secrets.rotate(sealed)
    secrets.use_keys([NEW], PEPPER)

    assert "kept" == secrets.decrypt(turned)
    for unreadable in (secrets.decrypt, secrets.rotate):
        with pytest.raises(secrets.Undecryptable):
            unreadable(sealed)


def test_a_sealed_text_that_was_changed_does_not_open() -> None:
    sealed = bytearray(secrets.encrypt("kept"))
    sealed[-5] ^= 1

    with pytest.raises(secrets.Undecryptable):
        secrets.decrypt(bytes(sealed))


def test_the_database_sees_only_sealed_text(session: Session) -> None:
    row = mail.Message(
        id=new_id(), template="verify", to="a@example.org", subject=None, body="Hello",
        written_at=clock.now(), sent_at=None,
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.expire(row)
    (stored,) = session.execute(select(cast(mail.Message.to, LargeBinary))).one()

    assert b"example" not in bytes(stored)
    assert ("a@example.org", None, "Hello") == (row.to, row.subject, row.body)


def test_two_labs_cannot_join_what_they_see() -> None:
    people = [str(new_id()) for _ in range(300)]
    seen_by = {lab: {secrets.pseudonym(lab, person) for person in people} for lab in ("a", "b")}

    assert [300, 300] == [len(seen) for seen in seen_by.values()]
    assert set() == seen_by["a"] & seen_by["b"]
    assert secrets.pseudonym("a", people[0]) in seen_by["a"]
    assert all(len(name) == 12 and name.startswith("S-") for name in seen_by["a"])


def test_a_pseudonym_hangs_on_the_key_and_not_on_its_spelling_alone() -> None:
    former = secrets.pseudonym("lab", "person")
    secrets.use_keys([OLD], "q" * 32)

    assert former != secrets.pseudonym("lab", "person")


def test_keyed_hashes_are_the_same_for_one_purpose_only() -> None:
    assert secrets.keyed_hash("npi", "1234567893") == secrets.keyed_hash("npi", "1234567893")
    assert secrets.keyed_hash("npi", "1234567893") != secrets.keyed_hash("bar", "1234567893")
    # The border between purpose and value is part of what is hashed.
    assert secrets.keyed_hash("ab", "c") != secrets.keyed_hash("a", "bc")
    assert secrets.token_hash("1234567893") != secrets.keyed_hash("npi", "1234567893")


def test_tokens_are_long_and_never_repeat() -> None:
    tokens = {secrets.new_token("mkt") for _ in range(1_000)}

    assert 1_000 == len(tokens)
    assert all(token.startswith("mkt_") and len(token) == 47 for token in tokens)


def test_without_keys_nothing_is_sealed_or_hashed() -> None:
    ring = secrets._Keyring()
    with pytest.raises(secrets.KeysMissing):
        ring.opened()


def test_a_link_covers_its_content_and_what_came_before() -> None:
    content: dict[str, object] = {"b": 1, "a": "ü"}
    link = secrets.chain_hash(b"x", content)

    assert link == secrets.chain_hash(b"x", {"a": "ü", "b": 1})
    assert link != secrets.chain_hash(b"y", content)
    assert link != secrets.chain_hash(b"x", {"a": "u", "b": 1})
    assert 32 == len(link)
