"""Evidence files: told by content, encrypted, seen by few with a trace, destroyed in time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from marketplace import clock, outbox, secrets, storage
from marketplace.audit import AuditRow
from marketplace.cli.secrets import encrypted_columns, rotate_all
from marketplace.db import transaction
from marketplace.errors import Conflict, Faulty, Missing, TooLarge
from marketplace.identity.models import Person
from marketplace.identity.rules import Role
from marketplace.secrets import Undecryptable
from marketplace.settings import Settings
from marketplace.specialists import service
from marketplace.specialists.background import purge_evidence
from marketplace.specialists.models import CredentialClaim, EvidenceFile
from marketplace.specialists.rules.evidence import BYTES_MAX, media_type_of, plain_name
from tests.make import identity
from tests.make import specialists as make

PDF = b"%PDF-1.7\n1 0 obj << /Secret (of a person) >> endobj\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(17) + b"\x00\x00\x00\x00IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + bytes(100) + b"\xff\xd9"


def kept(session: Session, claim: CredentialClaim, content: bytes = PDF) -> EvidenceFile:
    """A file of the claim, sent by its holder."""
    holder = identity.actor_of(session, session.get_one(Person, claim.person_id))
    with service.sealed_in_store(content, "../my licence<1>.exe") as file:
        row = service.add_evidence(session, holder, claim.id, file)
        file.taken = True
    return row


@pytest.mark.parametrize(
    ("content", "kind"), [(PDF, "application/pdf"), (PNG, "image/png"), (JPEG, "image/jpeg")]
)
def test_what_a_file_is_stands_in_it(content: bytes, kind: str) -> None:
    assert kind == media_type_of(content)
    with pytest.raises(Faulty):
        media_type_of(content[:-10])


@pytest.mark.parametrize("content", [b"", b"MZ\x90", b"<html>", b"%PDF-1.7", b"GIF89a"])
def test_what_is_no_evidence_is_refused(content: bytes) -> None:
    with pytest.raises(Faulty) as faulty:
        media_type_of(content)

    assert ["/file"] == [fault.pointer for fault in faulty.value.faults]


def test_too_large_is_said() -> None:
    with pytest.raises(TooLarge):
        media_type_of(PDF + bytes(BYTES_MAX))


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\scans\\licence 1.PDF", "licence 1.pdf"),
        ('a"b\r\nX: y.png', "a b X y.pdf"),
        ("\u202efdp.exe", "fdp.pdf"),
        ("...", "evidence.pdf"),
    ],
)
def test_names_are_stripped(name: str, plain: str) -> None:
    assert plain == plain_name(name, "application/pdf")


def test_a_file_is_nowhere_in_the_clear_and_comes_back_whole(session: Session) -> None:
    claim = make.claimed(session, identity.specialist(session))

    row = kept(session, claim)

    with storage.current().open(row.reference) as stream:
        stored = stream.read()
    assert b"Secret" not in stored
    assert PDF == service.content_of(row)
    assert hashlib.sha256(PDF).hexdigest() == row.sha256
    rows = session.scalars(text("SELECT to_jsonb(t)::text FROM evidence_file t")).all()
    assert not [each for each in rows if "licence" in each]
    assert clock.now().date() + timedelta(days=400) == row.kept_until


def test_a_file_that_was_changed_or_moved_does_not_open(session: Session) -> None:
    claim = make.claimed(session, identity.specialist(session))
    one, other = kept(session, claim), kept(session, claim)
    one.reference, other.reference = other.reference, one.reference

    with pytest.raises(Undecryptable):
        service.content_of(one)


def test_strangers_neither_add_nor_see(session: Session) -> None:
    claim = make.claimed(session, identity.specialist(session))
    row = kept(session, claim)
    stranger = identity.specialist(session)

    with pytest.raises(Missing):
        service.view_evidence(session, stranger, claim.id, row.id)
    with pytest.raises(Missing), service.sealed_in_store(PNG, "x.png") as file:
        service.add_evidence(session, stranger, claim.id, file)
    with pytest.raises(Missing):
        storage.current().size(file.reference)
    staff = identity.staff(session, Role.OPERATIONS)
    service.view_evidence(session, staff, claim.id, row.id)
    looks = select(AuditRow.person_id).where(AuditRow.verb == "viewed evidence")
    assert [staff.person()] == session.scalars(looks).all()


def test_a_withdrawn_claim_takes_no_files(session: Session) -> None:
    doctor = identity.specialist(session)
    claim = make.claimed(session, doctor)
    service.withdraw_credential(session, doctor, claim.id)

    with pytest.raises(Conflict):
        kept(session, claim)


def test_files_are_destroyed_after_their_last_day_and_their_hash_stays(session: Session) -> None:
    row = kept(session, make.claimed(session, identity.specialist(session)))

    def purge() -> bool:
        work_id = outbox.enqueue(session, "specialists.purge_evidence")
        session.flush()
        purge_evidence(outbox.Work(work_id, "specialists.purge_evidence", {}, 1))
        session.expire_all()
        return row.purged_at is not None

    with clock.shifted(timedelta(days=400)):
        assert not purge()
    with clock.shifted(timedelta(days=401)):
        assert purge()
        assert purge()

    assert (None, None, hashlib.sha256(PDF).hexdigest()) == (row.name, row.file_key, row.sha256)
    with pytest.raises(Missing):
        storage.current().size(row.reference)


@pytest.fixture
def keys(settings: Settings) -> Iterator[tuple[str, str]]:
    """A new key, and the one in use, which alone counts again afterwards."""
    yield Fernet.generate_key().decode(), settings.encryption_keys[0]
    secrets.use_keys(settings.encryption_keys, settings.pseudonym_key)


def test_after_a_rotation_identifiers_and_files_open_with_the_new_key_alone(
    committed: Engine, settings: Settings, keys: tuple[str, str]
) -> None:
    new, old = keys
    with transaction() as session:
        claim = make.claimed(session, identity.specialist(session))
        holder = identity.actor_of(session, session.get_one(Person, claim.person_id))
    with service.sealed_in_store(PDF, "licence.pdf") as file:
        with transaction() as session:
            row = service.add_evidence(session, holder, claim.id, file)
        file.taken = True
    secrets.use_keys((new, old), settings.pseudonym_key)

    counts = dict(rotate_all(new))

    assert (1, 1, 1) == (
        counts["credential_claim.identifier"],
        counts["evidence_file.file_key"],
        counts["evidence_file.name"],
    )
    secrets.use_keys((new,), settings.pseudonym_key)
    with transaction() as session:
        again = session.get_one(EvidenceFile, row.id)
        assert claim.identifier == session.get_one(CredentialClaim, claim.id).identifier
    assert (PDF, "licence.pdf") == (service.content_of(again), again.name)


def test_every_encrypted_column_may_be_rotated(database: Engine) -> None:
    found = {f"{each.table.name}.{each.name}": each for each in encrypted_columns()}
    assert {
        "credential_claim.identifier",
        "credential_case.note",
        "credential_proposal.note",
        "credential_proposal.settled_note",
        "evidence_file.file_key",
        "evidence_file.name",
        "specialist_profile.legal_name",
        "verification_evidence.note",
    } <= set(found)

    with database.connect() as connection:
        sources = text(
            "SELECT c.relname, p.prosrc FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " JOIN pg_proc p ON p.oid = t.tgfoid WHERE t.tgname LIKE '%_append_only'"
        )
        guards = {row.relname: row.prosrc for row in connection.execute(sources)}
        may = text("SELECT has_column_privilege(current_user, :table, :column, 'UPDATE')")
        refused = [
            name
            for name, column in found.items()
            if _fixed(guards.get(column.table.name), column.name)
            or not connection.scalar(
                may, {"table": f'"{column.table.name}"', "column": column.name}
            )
        ]

    assert [] == refused


def _fixed(guard: str | None, column: str) -> bool:
    """Whether a table's guard lets this column never be written anew."""
    return guard is not None and f"(OLD.{column} IS NULL) = (NEW.{column} IS NULL)" not in guard
