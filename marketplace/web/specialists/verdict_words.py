"""What checks found and what followed, in sentences: one for each code that either may carry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from marketplace.specialists.models import CredentialChange, VerificationRun
from marketplace.specialists.queries import ClaimDetail
from marketplace.specialists.rules import CredentialState
from marketplace.specialists.rules.lifecycle import STATE_LABELS

_WRITTEN = re.compile(r"status_\d{3}")
AWAY = "The source did not answer as it should. That says nothing about you; we ask again."
SENTENCES: Mapping[str, str] = {
    # Why a credential is in its state.
    "identifier_taken": "Another account holds the same identifier.",
    "licence_expired": "Its last day has passed.",
    "licence_expires_soon": "Its last day is near.",
    "not_reverified": "It had not been looked up for too long.",
    "not_confirmed": "The register did not confirm it.",
    "suspended_by_person": "Operations suspended it.",
    "revoked_by_person": "Operations revoked it.",
    "reopened": "Operations opened it again.",
    "withdrawn": "You took it back.",
    "renewal_asked": "You gave a later last day; it is looked up.",
    "renewal_refused": "What you sent does not show a later last day.",
    "recheck_asked": "You asked for another check.",
    "source_mismatch": "A source says something else than you did.",
    # The form of an identifier.
    "format_unknown": "We do not know how this register writes its numbers; a person looks.",
    "malformed": "It is not written as its register writes such identifiers.",
    # A register.
    "not_in_registry": "The register has no such number. Look for a typing mistake.",
    "organisation": "The number belongs to an organisation, not to a person.",
    "deactivated": "The register says that the number was deactivated.",
    "name_missing": "We need your name as on your papers to compare; give it in your profile.",
    "name_differs": "The register has this number under another name than that of your papers.",
    "name_unclear": "The name in the register is like yours, but not like enough; a person looks.",
    "not_found_by_name": "The register shows nobody of your name there; a person looks.",
    "several_people": "The register shows several people of your name; a person looks.",
    "licence_not_listed": "The register shows you, but not this licence; a person looks.",
    "no_answer": AWAY,
    "rate_limited": AWAY,
    "not_json": AWAY,
    "errors_in_answer": AWAY,
    "shape_changed": AWAY,
    "empty_answer": "The register answered with nothing, though it had your number before. That "
    "happens while it is out of order; it is asked twice more before anything changes.",
    # Identity and accounts.
    "identity_not_shown": "You have not shown an identity document yet.",
    "name_changed": "Your name or birth date changed since you showed a document; show it again.",
    "birth_differs": "The birth date on the document is not the one in your profile.",
    "identity_name_differs": "The name on the document is not that of your papers.",
    "identity_name_unclear": "The name on the document is like yours, but not like enough; a "
    "person looks.",
    "account_not_connected": "You have not signed in at GitHub from here yet.",
    "other_account": "The account that you signed in with is not the one that you named.",
    # Lists of excluded people: a name alone is nobody's fault, and the words say so.
    "list_hit": "A published list has an entry that fits you; a person looks whether it is you.",
    "name_only_hit": "A published list has a name like yours, as happens often; a person looks.",
    "hit_confirmed": "A person found that the entry of a published list is you.",
    "no_list_loaded": AWAY,
}
CHECKS: Mapping[str, str] = {
    "format": "How it is written",
    "registry": "The register",
    "identity": "That it is you",
    "sanctions": "Published lists",
    "skill": "A qualification",
    "manual": "A person's look",
}
FOUND: Mapping[str, tuple[str, str, str]] = {
    "pass": ("good", "circle-check", "fits"),
    "fail": ("stop", "circle-x", "does not fit"),
    "inconclusive": ("watch", "circle-dashed", "stays open"),
    "unavailable": ("neutral", "clock", "no answer yet"),
}
STEPPED: Mapping[CredentialState, tuple[str, str]] = {
    CredentialState.VERIFIED: ("good", "badge-check"),
    CredentialState.EXPIRING_SOON: ("watch", "calendar-clock"),
    CredentialState.EXPIRED: ("stop", "calendar-clock"),
    CredentialState.SUSPENDED: ("stop", "circle-pause"),
    CredentialState.REVOKED: ("stop", "ban"),
    CredentialState.BLOCKED: ("watch", "octagon-alert"),
}


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a credential's history. what: a few words; why: sentences, or nothing."""

    at: datetime
    tone: str
    icon: str
    what: str
    why: str


def sentence(code: str) -> str:
    """A code as a sentence; never the code itself."""
    if _WRITTEN.fullmatch(code):
        return AWAY
    return SENTENCES.get(code, "A person of our operations can tell you more about it.")


def happened(detail: ClaimDetail) -> list[Happening]:
    """All checks and steps of a credential as one story, newest first."""
    runs = [_checked(run) for run, _ in detail.runs]
    steps = list(reversed(detail.changes))
    changed = [_stepped(step, before) for step, before in zip(steps, [None, *steps], strict=False)]
    found = [*runs, *(each for each in changed if each is not None)]
    return sorted(found, key=lambda each: each.at, reverse=True)


def _checked(run: VerificationRun) -> Happening:
    tone, icon, found = FOUND[run.outcome]
    named = "GitHub" if run.verifier == "github.oauth" else CHECKS.get(run.kind, "A check")
    why = " ".join(dict.fromkeys(sentence(code) for code in run.reasons))
    return Happening(run.ran_at, tone, icon, f"{named}: {found}", why)


def _stepped(step: CredentialChange, before: CredentialChange | None) -> Happening | None:
    """A step in words; None where neither state nor level moved."""
    if before is not None and (before.state, before.level) == (step.state, step.level):
        return None
    tone, icon = STEPPED.get(step.state, ("neutral", "history"))
    what = STATE_LABELS[step.state] if before is None or before.state is not step.state else ""
    level = f"level {step.level}" if before is not None and before.level != step.level else ""
    words = ", ".join(part for part in (what, level) if part)
    why = sentence(step.reason) if step.reason else ""
    return Happening(step.at, tone, icon, words[:1].upper() + words[1:], why)
