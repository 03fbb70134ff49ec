"""Identity and accounts in words: how they stand, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from marketplace.specialists.gateway import Subject
from marketplace.specialists.models import GithubConnection, IdentityCheck
from marketplace.specialists.rules.identity import IdentityState
from marketplace.specialists.rules.levels import NAME_SCORE_MIN
from marketplace.web.filters import count

ERRORS: Mapping[str, str] = {
    "document_expired": "The document has expired. Use one that is valid.",
    "document_unverified_other": "The document could not be read. Try again in better light.",
    "document_type_not_supported": "This kind of document cannot be read. Use a passport, an "
    "identity card or a driving licence.",
    "selfie_face_mismatch": "Your face and the one on the document did not fit. Try again.",
    "abandoned": "You left before the end. You may go on where you were.",
    "consent_declined": "You did not agree to be compared. Without that, nobody can tell.",
}
TRY_AGAIN = "Stripe could not verify the document. Try again, or use another one."


@dataclass(frozen=True, slots=True)
class IdentityWords:
    """tone, icon and state for the badge; next: what to do; button: its words, or None."""

    tone: str
    icon: str
    state: str
    next: str
    button: str | None


def identity_words(check: IdentityCheck | None, subject: Subject) -> IdentityWords:
    """How a person's identity stands; the last verified document counts while it fits."""
    if check is None or check.state is IdentityState.CANCELLED:
        if subject.identity is None:
            return _first(subject)
        return _verified(subject)
    match check.state:
        case IdentityState.VERIFIED:
            return _verified(subject)
        case IdentityState.PROCESSING:
            wait = "Stripe looks at your document. Look here again in a while; you need not wait."
            return IdentityWords("active", "loader", "Being looked at", wait, None)
        case IdentityState.NEEDS_INPUT:
            advice = ERRORS.get(check.reason or "", TRY_AGAIN)
            return IdentityWords("watch", "circle-alert", "Not verified yet", advice, "Try again")
    begun = "You have begun. Go on at Stripe: it takes about three minutes."
    return IdentityWords("neutral", "circle-dashed", "Begun", begun, "Go on at Stripe")


def _first(subject: Subject) -> IdentityWords:
    if not subject.legal_name:
        needed = "Write your name as on your papers in your profile first; the two are compared."
        return IdentityWords("neutral", "circle-dashed", "Not shown yet", needed, None)
    offer = "Have a passport, an identity card or a driving licence and a camera ready."
    return IdentityWords("neutral", "circle-dashed", "Not shown yet", offer, "Verify my identity")


def _verified(subject: Subject) -> IdentityWords:
    shown = subject.identity
    if shown is None or not shown.current:
        changed = "Your name or birth date changed since. Show a document once more."
        return IdentityWords("watch", "circle-alert", "Out of date", changed, "Verify again")
    if shown.birth_matches is False:
        differs = (
            "The birth date on the document is not the one in your profile. Correct it there, "
        )
        return IdentityWords("stop", "circle-x", "Does not fit", differs + _AGAIN, "Verify again")
    if shown.name_score < NAME_SCORE_MIN:
        differs = "The name on the document is not the one in your profile. Correct it there, "
        return IdentityWords("stop", "circle-x", "Does not fit", differs + _AGAIN, "Verify again")
    done = "It counts for every credential of yours. There is nothing to do."
    return IdentityWords("good", "badge-check", "Verified", done, None)


_AGAIN = "then verify again; or write to us if it is right."


def signals(account: GithubConnection | None) -> list[tuple[str, str]]:
    """What an account shows to everyone, in words; signals, and no credential."""
    if account is None:
        return []
    has = account.numbers
    return [
        ("Merged pull requests", count(has.get("merged_pull_requests", 0))),
        ("Repositories of your own", count(has.get("repositories", 0))),
        ("Contributions in a year", count(has.get("contributions_year", 0))),
        ("Followers", count(has.get("followers", 0))),
    ]
