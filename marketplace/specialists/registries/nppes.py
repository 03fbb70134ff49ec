"""NPPES, the register of US providers, over HTTP: asked by number, or by name and state.

What it says of names and licences is the provider's own word, so it shows level 2 and no more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from marketplace import http_client
from marketplace.errors import GatewayError
from marketplace.http_client import AddressRefused, Answer
from marketplace.specialists.gateway import Claimed, Subject, source
from marketplace.specialists.registries.provider import Provider, ShapeChanged, read_providers
from marketplace.specialists.rules.checks import compact_form
from marketplace.specialists.rules.levels import NAME_SCORE_MIN, NAME_UNCLEAR_MIN, retry_at
from marketplace.specialists.rules.verdicts import Outcome, Verdict

PUBLIC = "https://npiregistry.cms.hhs.gov/api/"
VERSION = "2.1"
ROWS_MAX = 200
Fetch = Callable[..., Answer]
Match = dict[str, Any]


class Unavailable(Exception):
    """The register gave no answer that says anything. reason: a code."""

    def __init__(self, reason: str, after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_seconds = after_seconds


@dataclass(frozen=True, slots=True)
class Reply:
    """The providers that an answer lists, and the SHA-256 of its bytes."""

    providers: tuple[Provider, ...]
    sha256: str


class NppesVerifier:
    """Looks a claim up in NPPES. fetch: `http_client.get`, or one that answers alike."""

    key = "us.npi.nppes"
    kind = "registry"
    asks_others = True

    def __init__(self, api_base: str, fetch: Fetch = http_client.get) -> None:
        self._api_base = api_base
        self._fetch = fetch

    def applies_to(self, claim: Claimed) -> bool:
        """To every type whose catalogue entry says so."""
        return self.key in claim.kind.verifiers

    def verify(self, claim: Claimed, subject: Subject, now: datetime) -> Verdict:
        """By number for an NPI, else by the person's name in the state of the licence."""
        by_number = claim.kind.key == "npi"
        if not by_number and not subject.legal_name:
            return self._verdict(Outcome.INCONCLUSIVE, "name_missing")
        wanted = (
            {"number": compact_form(claim.identifier)}
            if by_number
            else _by_name(subject.legal_name or "", claim.jurisdiction)
        )
        try:
            reply = self._ask(wanted, now)
            if by_number:
                return self._of_number(claim, subject, reply)
        except Unavailable as away:
            again = retry_at(now, attempt=1, after_seconds=away.after_seconds)
            return Verdict(
                self.key,
                self.kind,
                Outcome.UNAVAILABLE,
                0,
                reasons=(away.reason,),
                evidence=self._source(None),
                next_check_at=again,
            )
        return self._of_name(claim, subject, reply)

    def _ask(self, wanted: Mapping[str, str], now: datetime) -> Reply:
        address = f"{self._api_base}?{urlencode({'version': VERSION, **wanted})}"
        try:
            # The address that the operator configured may be a sandbox on this machine.
            private = self._api_base != PUBLIC
            answer = self._fetch(address, {"Accept": "application/json"}, allow_private=private)
        except (GatewayError, AddressRefused):
            raise Unavailable("no_answer") from None
        if answer.status == 429:
            raise Unavailable("rate_limited", _retry_after(answer.headers, now))
        if answer.status != 200:
            raise Unavailable(f"status_{answer.status}", _retry_after(answer.headers, now))
        try:
            body = json.loads(answer.body)
        except ValueError:
            raise Unavailable("not_json") from None
        if isinstance(body, dict) and "Errors" in body:
            # It answers 200 to what it cannot serve; that is not "no such provider".
            raise Unavailable("errors_in_answer")
        try:
            providers = read_providers(body)
        except ShapeChanged:
            raise Unavailable("shape_changed") from None
        return Reply(providers, hashlib.sha256(answer.body).hexdigest())

    def _of_number(self, claim: Claimed, subject: Subject, reply: Reply) -> Verdict:
        number = compact_form(claim.identifier)
        if not reply.providers:
            return self._verdict(Outcome.FAIL, "not_in_registry", reply)
        if len(reply.providers) > 1 or reply.providers[0].number != number:
            raise Unavailable("shape_changed")
        provider = reply.providers[0]
        if provider.is_organisation:
            return self._verdict(Outcome.FAIL, "organisation", reply)
        if not provider.is_active:
            return self._verdict(Outcome.FAIL, "deactivated", reply, provider)
        if not subject.legal_name:
            return self._verdict(Outcome.INCONCLUSIVE, "name_missing", reply, provider)
        score = provider.name_score(subject.legal_name)
        match: Match = {"name_score": score, "jurisdiction": True, **_specialties(claim, provider)}
        if score < NAME_UNCLEAR_MIN:
            return self._verdict(Outcome.FAIL, "name_differs", reply, provider, match=match)
        if score < NAME_SCORE_MIN:
            return self._verdict(Outcome.INCONCLUSIVE, "name_unclear", reply, provider, match=match)
        said = provider.name_like(subject.legal_name)
        return self._verdict(Outcome.PASS, None, reply, provider, match=match, said=said)

    def _of_name(self, claim: Claimed, subject: Subject, reply: Reply) -> Verdict:
        """A name alone shows nothing; with the same licence number in the same state it does."""
        state = claim.jurisdiction.partition("-")[2]
        alike = [
            each
            for each in reply.providers
            if each.is_active
            and not each.is_organisation
            and each.name_score(subject.legal_name or "") >= NAME_SCORE_MIN
        ]
        licensed = [each for each in alike if each.holds(state, compact_form(claim.identifier))]
        if len(licensed) == 1:
            provider = licensed[0]
            score = provider.name_score(subject.legal_name or "")
            match: Match = {"name_score": score, "jurisdiction": True, "licence": True}
            match |= _specialties(claim, provider)
            said = provider.name_like(subject.legal_name or "")
            return self._verdict(Outcome.PASS, None, reply, provider, match=match, said=said)
        reason = "not_found_by_name" if not alike else "several_people"
        if len(alike) == 1:
            reason = "licence_not_listed"
        return self._verdict(Outcome.INCONCLUSIVE, reason, reply, match={"people": len(alike)})

    def _verdict(
        self,
        outcome: Outcome,
        reason: str | None,
        reply: Reply | None = None,
        provider: Provider | None = None,
        *,
        match: Match | None = None,
        said: str | None = None,
    ) -> Verdict:
        """said: the name in the register, which is kept encrypted."""
        return Verdict(
            self.key,
            self.kind,
            outcome,
            2 if outcome is Outcome.PASS else 0,
            observed=provider.observed() if provider else {},
            match=match or {},
            reasons=(reason,) if reason else (),
            evidence=self._source(reply, provider, said),
        )

    def _source(
        self, reply: Reply | None, provider: Provider | None = None, said: str | None = None
    ) -> tuple[dict[str, Any], ...]:
        # The address without its query: the query holds the number or the name.
        return source(
            self.key,
            url=self._api_base,
            source_version=provider.last_updated if provider else None,
            sha256=reply.sha256 if reply else None,
            note=said,
        )


def _by_name(name: str, jurisdiction: str) -> dict[str, str]:
    words = name.split()
    return {
        "first_name": words[0],
        "last_name": words[-1],
        "state": jurisdiction.partition("-")[2],
        "enumeration_type": "NPI-1",
        "limit": str(ROWS_MAX),
    }


def _specialties(claim: Claimed, provider: Provider) -> dict[str, Any]:
    """Which specialties of ours the provider's taxonomy codes name, and whether all claimed do."""
    named = {claim.specialty_of[code] for code in provider.codes if code in claim.specialty_of}
    return {"specialties": sorted(named), "all_specialties": set(claim.specialties) <= named}


def _retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that the answer asks to wait: a number or an HTTP date; None when it says nothing."""
    text = {name.lower(): value for name, value in headers.items()}.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError):
        return None
