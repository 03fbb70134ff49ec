"""What checks, runs and reasons are called where people read them."""

from __future__ import annotations

from collections.abc import Mapping

from marketplace.specialists.rules.catalogue_edits import VERIFIERS

# Those whose key names the credential type after a full stop.
FAMILIES: Mapping[str, str] = {
    "format": "How the identifier is written",
    "manual": "A person, at the register",
    "qualification": "A passed qualification of ours",
}
REASONS: Mapping[str, str] = {
    "identifier_taken": "another account holds the identifier",
    "licence_expired": "its last day has passed",
    "licence_expires_soon": "its last day is near",
    "not_reverified": "it was not looked up again in time",
    "not_confirmed": "the register did not confirm it",
    "suspended_by_person": "suspended by operations",
    "revoked_by_person": "revoked by operations",
    "renewal_asked": "its holder asked to renew it",
    "renewal_refused": "the evidence did not show a later day",
    "recheck_asked": "its holder asked for another check",
    "format_unknown": "nobody told us how it is written there",
    "no_list_loaded": "the list is not loaded",
    "list_hit": "an entry of the list may be this person",
    "hit_confirmed": "two people found that an entry of the list is this person",
    "name_only_hit": "somebody on the list has this name",
    "empty_answer": "nothing was listed where something was before; it is asked again",
    "level_lost": "what showed its level holds no more",
}


def check_words(verifier: str) -> str:
    """`format.gmc` as `How the identifier is written`, `us.npi.nppes` as the registry's name."""
    known = VERIFIERS.get(verifier) or FAMILIES.get(verifier.partition(".")[0])
    return known or reason_words(verifier.replace(".", " "))


def reason_words(code: str) -> str:
    """A reason's code in words, for operations; one that nobody put into words reads as it is."""
    return REASONS.get(code, code.replace("_", " "))
