"""What every verifier is: it looks at one claim and one person, and gives a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from marketplace.specialists.rules.catalogue import CredentialType
from marketplace.specialists.rules.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a verifier may know of a claim; specialty_of: what registries' codes mean to us."""

    claim_id: UUID
    kind: CredentialType
    jurisdiction: str
    identifier: str
    specialties: tuple[str, ...]
    valid_until: date | None
    specialty_of: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShownIdentity:
    """What is kept of an identity document that was shown: how it compared, never what it said.

    current: the name and birth date that it was compared with are still those of the profile;
    birth_matches: None where the profile or the document has no birth date.
    """

    check_id: UUID
    verified_at: datetime
    name_score: float
    birth_matches: bool | None
    document_country: str | None
    document_until: date | None
    current: bool


@dataclass(frozen=True, slots=True)
class ConnectedAccount:
    """An account whose control was proven. numbers: signals, which anyone can inflate."""

    login: str
    connected_at: datetime
    created_at: datetime
    numbers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Subject:
    """The person, as far as verifiers compare with them."""

    legal_name: str | None
    born_on: str | None
    identity: ShownIdentity | None
    account: ConnectedAccount | None


class Verifier(Protocol):
    """One way to look at a claim.

    key: its name in the catalogue; kind: as in Verdict; asks_others: whether `verify` uses the
    network, and so may not run inside a transaction. A verifier that gets no answer says
    `unavailable`; it raises nothing that a source causes.
    """

    @property
    def key(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def asks_others(self) -> bool: ...

    def applies_to(self, claim: Claimed) -> bool:
        """Whether it has anything to say about such a claim."""
        ...

    def verify(self, claim: Claimed, subject: Subject, now: datetime) -> Verdict:
        """Its verdict; now: aware UTC."""
        ...


def source(name: str, **facts: Any) -> tuple[dict[str, Any], ...]:
    """The evidence of a verdict with one source; facts: source_version, url, sha256."""
    return ({"source": name, **facts},)
