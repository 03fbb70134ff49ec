"""The catalogue as operations changes it: added to, mended, retired; never deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import Actor
from marketplace.errors import Conflict, Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import new_id
from marketplace.secrets import keyed_hash
from marketplace.specialists.models import (
    CatalogueVersion,
    CredentialClaim,
    CredentialTypeRow,
    ProfessionRow,
    SpecialtyRow,
)
from marketplace.specialists.rules.catalogue import type_from
from marketplace.specialists.rules.catalogue_edits import (
    cleaned_profession,
    cleaned_specialty,
    cleaned_type,
    key_fault,
)
from marketplace.specialists.rules.checks import normal_form
from marketplace.specialists.service.claims import HASH_PURPOSE

REHASHED_MAX = 5_000
Entry = ProfessionRow | SpecialtyRow | CredentialTypeRow
Row = TypeVar("Row", ProfessionRow, SpecialtyRow, CredentialTypeRow)


def subject_of_entry(key: str) -> UUID:
    """What the audit trail knows an entry by, such as `type/npi` or `specialty/law/tax`."""
    return uuid5(NAMESPACE_URL, f"catalogue/{key}")


def save_profession(
    session: Session, actor: Actor, key: str, *, title: str, new: bool = False
) -> ProfessionRow:
    """Add a profession, or write its title anew; Faulty with pointers."""
    _begin(session, actor)
    row = _found(session, ProfessionRow, key, new=new)
    row.title = cleaned_profession(title)
    return _kept(session, actor, row, f"profession/{key}", new=new)


def save_specialty(
    session: Session,
    actor: Actor,
    profession: str,
    key: str,
    *,
    title: str,
    heading: str,
    nucc_codes: Sequence[str] = (),
    new: bool = False,
) -> SpecialtyRow:
    """Add a specialty to a profession, or mend it; Faulty with pointers."""
    _begin(session, actor)
    if session.get(ProfessionRow, profession) is None:
        raise Missing("There is no such profession.")
    fields = cleaned_specialty(title, heading, nucc_codes)
    row = _found(session, SpecialtyRow, key, new=new, profession=profession)
    for name, value in fields.items():
        setattr(row, name, value)
    return _kept(session, actor, row, f"specialty/{profession}/{key}", new=new)


def save_type(
    session: Session, actor: Actor, key: str, *, new: bool = False, **fields: Any
) -> CredentialTypeRow:
    """Add a credential type, or change it; the fields are those of its row.

    Where patterns change, stored identifiers are compared by the new ones from now on. Raises
    Faulty with pointers, Conflict where two stored claims would become one identifier.
    """
    _begin(session, actor)
    professions = list(session.scalars(select(ProfessionRow.key).limit(REHASHED_MAX)))
    cleaned = cleaned_type(fields, professions)
    row = _found(session, CredentialTypeRow, key, new=new)
    changed = new or row.formats != cleaned["formats"]
    if not new and row.profession != cleaned["profession"] and _claims(session, key):
        fault = Fault("/profession", "People hold this already, so it stays where it is.")
        raise Faulty("The credential type cannot be kept like this.", [fault])
    for name, value in cleaned.items():
        setattr(row, name, value)
    kept = _kept(session, actor, row, f"type/{key}", new=new)
    if changed and not new:
        _hash_again(session, kept)
    return kept


def retire_entry(
    session: Session, actor: Actor, kind: str, *keys: str, retired: bool = True
) -> None:
    """Stop offering an entry, or offer it again; what is stored keeps it and its words.

    kind: `profession`, `specialty` (with the profession's key first) or `type`.
    """
    _begin(session, actor)
    tables: Mapping[str, type[Any]] = {
        "profession": ProfessionRow,
        "specialty": SpecialtyRow,
        "type": CredentialTypeRow,
    }
    row: Entry | None = session.get(tables[kind], keys if len(keys) > 1 else keys[0])
    if row is None:
        raise Missing("There is no such entry in the catalogue.")
    row.retired_at = clock.now() if retired else None
    session.flush()
    verb = "retired catalogue entry" if retired else "restored catalogue entry"
    entry = "/".join((kind, *keys))
    audit.record(session, actor, verb, subject_of_entry(entry), entry=entry)


def _begin(session: Session, actor: Actor) -> None:
    """One change at a time, and every process reads the catalogue again after it."""
    actor.require(Permission.CREDENTIALS_VERIFY)
    version = session.scalars(select(CatalogueVersion).with_for_update()).one()
    version.version = new_id()
    session.flush()


def _found(session: Session, table: type[Row], key: str, *, new: bool, **more: str) -> Row:
    """The row to fill: a new one at the end of its list, or the one of this key."""
    place = {"key": key, **more}
    row = session.get(table, place)
    if new:
        advice = key_fault(key, [key] if row is not None else [])
        if advice is not None:
            raise Faulty("The key cannot be used.", [Fault("/key", advice)])
        last = session.scalar(select(func.coalesce(func.max(table.position), 0)))
        return table(**place, position=(last or 0) + 1)
    if row is None:
        raise Missing("There is no such entry in the catalogue.")
    return row


def _kept(session: Session, actor: Actor, row: Row, entry: str, *, new: bool) -> Row:
    session.add(row)
    session.flush()  # Whoever reads the catalogue next in this transaction may do so by SQL.
    verb = "added catalogue entry" if new else "changed catalogue entry"
    audit.record(session, actor, verb, subject_of_entry(entry), entry=entry)
    return row


def _claims(session: Session, key: str) -> int:
    counted = select(func.count()).where(CredentialClaim.type == key)
    return session.scalar(counted) or 0


def _hash_again(session: Session, row: CredentialTypeRow) -> None:
    """Compare stored identifiers as the new patterns read them."""
    if _claims(session, row.key) > REHASHED_MAX:
        raise Conflict("Too many people hold this to change how it is written; add another type.")
    kind = type_from({each.key: getattr(row, each.key) for each in row.__table__.c})
    claims = select(CredentialClaim).where(
        CredentialClaim.type == row.key, CredentialClaim.identifier.is_not(None)
    )
    for claim in session.scalars(claims.order_by(CredentialClaim.id).with_for_update()):
        written = normal_form(kind, claim.jurisdiction, claim.identifier or "")
        claim.identifier_hash = keyed_hash(HASH_PURPOSE, written)
    try:
        session.flush()
    except IntegrityError:
        said = "By these patterns two stored claims would be one identifier; mend them first."
        raise Conflict(said) from None
