"""Verifiers that ask nobody: the form of an identifier, and what was shown and kept before."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from marketplace.errors import Faulty
from marketplace.specialists.gateway import Claimed, Subject, source
from marketplace.specialists.rules.checks import check_identifier
from marketplace.specialists.rules.levels import NAME_SCORE_MIN, NAME_UNCLEAR_MIN
from marketplace.specialists.rules.verdicts import Outcome, Verdict


class FormatVerifier:
    """The identifier is written as such identifiers are; NPI and ORCID by their check digits."""

    key = "format"
    kind = "format"
    asks_others = False

    def applies_to(self, claim: Claimed) -> bool:
        """To every claim."""
        return bool(claim.identifier)

    def verify(self, claim: Claimed, subject: Subject, now: datetime) -> Verdict:
        """Level 1, `fail` for one that cannot be right, `inconclusive` without a known format."""
        del subject, now
        try:
            return check_identifier(claim.kind, claim.jurisdiction, claim.identifier)
        except Faulty:
            name = f"format.{claim.kind.key}"
            return Verdict(name, "format", Outcome.FAIL, 0, reasons=("malformed",))


class IdentityVerifier:
    """An identity document bears the person's legal name, and their birth date where known."""

    key = "stripe.identity"
    kind = "identity"
    asks_others = False

    def applies_to(self, claim: Claimed) -> bool:
        """To every type whose catalogue entry says so."""
        return self.key in claim.kind.verifiers

    def verify(self, claim: Claimed, subject: Subject, now: datetime) -> Verdict:
        """Level 3 together with a registry; see `rules.levels`."""
        del claim, now
        shown = subject.identity
        if shown is None:
            return self._verdict(Outcome.INCONCLUSIVE, "identity_not_shown")
        if not shown.current:
            return self._verdict(Outcome.INCONCLUSIVE, "name_changed")
        match: dict[str, Any] = {"name_score": shown.name_score, "birth": shown.birth_matches}
        if shown.birth_matches is False:
            return self._verdict(Outcome.FAIL, "birth_differs", match)
        if shown.name_score < NAME_UNCLEAR_MIN:
            return self._verdict(Outcome.FAIL, "identity_name_differs", match)
        if shown.name_score < NAME_SCORE_MIN:
            return self._verdict(Outcome.INCONCLUSIVE, "identity_name_unclear", match)
        until = shown.document_until
        return Verdict(
            self.key,
            self.kind,
            Outcome.PASS,
            3,
            observed={
                "document_country": shown.document_country,
                "document_until": until.isoformat() if until else None,
                "verified_at": shown.verified_at.isoformat(),
            },
            match=match,
            evidence=source(self.key, source_version=shown.verified_at.date().isoformat()),
        )

    def _verdict(
        self, outcome: Outcome, reason: str, match: dict[str, Any] | None = None
    ) -> Verdict:
        evidence = source(self.key)
        return Verdict(
            self.key, self.kind, outcome, 0, match=match or {}, reasons=(reason,), evidence=evidence
        )


class AccountVerifier:
    """The person controls the GitHub account that they named, as GitHub itself said."""

    key = "github.oauth"
    kind = "identity"
    asks_others = False

    def applies_to(self, claim: Claimed) -> bool:
        """To every type whose catalogue entry says so."""
        return self.key in claim.kind.verifiers

    def verify(self, claim: Claimed, subject: Subject, now: datetime) -> Verdict:
        """Level 3 where the connected account is the named one; the numbers are signals only."""
        account = subject.account
        if account is None:
            return self._inconclusive("account_not_connected")
        named = claim.identifier.strip().rstrip("/").rpartition("/")[2].lstrip("@")
        if named.casefold() != account.login.casefold():
            return self._inconclusive("other_account")
        years = (now - account.created_at).days // 365
        return Verdict(
            self.key,
            self.kind,
            Outcome.PASS,
            3,
            observed={"account_years": years, **account.numbers},
            # Who controls an account need not know any of what they say of it.
            match={"control": True, "specialties": []},
            evidence=source(self.key, source_version=account.connected_at.date().isoformat()),
        )

    def _inconclusive(self, reason: str) -> Verdict:
        evidence = source(self.key)
        return Verdict(
            self.key, self.kind, Outcome.INCONCLUSIVE, 0, reasons=(reason,), evidence=evidence
        )
