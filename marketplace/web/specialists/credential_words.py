"""Credentials in words: what a level means, what the next one needs, who acts, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from babel.dates import format_date
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.specialists import queries
from marketplace.specialists.models import CredentialClaim, CredentialRenewal
from marketplace.specialists.rules import HOLDING, Catalogue, CredentialState, Refusal
from marketplace.specialists.rules.catalogue import CredentialType
from marketplace.specialists.rules.lifecycle import LEVEL_LABELS
from marketplace.web.filters import count
from marketplace.web.specialists import places

_S = CredentialState
BLOCKED = (
    "Another account here holds the same identifier. That happens by a slip, by a second account, "
    "or when somebody else typed your number. A person compares the two; it decides nothing "
    "about you."
)
MEANS: Mapping[int, str] = {
    0: "It rests on your word alone.",
    1: "The identifier is well formed. That it is yours is not shown yet.",
    2: "The register has this identifier under your name.",
    3: "You have shown that you are the person whom the register names.",
    4: "The register said within the last four months that it is active, and nothing stands "
    "against it.",
}
NEEDS: Mapping[int, str] = {
    0: "Level 1 needs an identifier that is written as its register writes it.",
    1: "Level 2 needs the register to show it under your name. We look that up.",
    2: "Level 3 needs a check of your identity document, or a sign-in at the account itself.",
    3: "Level 4 needs the register to say that it is active and without restriction. A person "
    "looks that up.",
}
# Who acts next, and what happens; said of each state.
NEXT_STEPS: Mapping[CredentialState, str] = {
    _S.CLAIMED: "The first checks are running. You need do nothing.",
    _S.CHECKING: "Our operations look it up in the register, mostly within two working days. You "
    "need do nothing; it moves to verified, or you read here what did not fit.",
    _S.VERIFIED: "Nothing to do. Jobs that ask for it are in your feed.",
    _S.EXPIRING_SOON: "You act: renew it with its register before the last day, then give us the "
    "new day. It counts until then.",
    _S.EXPIRED: "You act: renew it with its register, then give us the new day. Work that you "
    "handed in keeps the level that it had.",
    _S.SUSPENDED: "It does not count at present. Our operations look into it and decide; you may "
    "send a file that explains it.",
    _S.REVOKED: "It could not be confirmed and does not count. If a letter or digit was wrong, "
    "claim it again as the register writes it.",
    _S.BLOCKED: BLOCKED + " You may send a file that shows it is yours, such as a photograph of "
    "the certificate; until then it does not count.",
    _S.WITHDRAWN: "You took it back. It does not count, and you may claim it again.",
}
WHO_ACTS: Mapping[CredentialState, tuple[str, str]] = {
    _S.CLAIMED: ("loader", "We check it"),
    _S.CHECKING: ("users", "Operations look it up"),
    _S.VERIFIED: ("circle-check", "Nobody needs to act"),
    _S.EXPIRING_SOON: ("user", "You renew it"),
    _S.EXPIRED: ("user", "You renew it"),
    _S.SUSPENDED: ("users", "Operations decide"),
    _S.REVOKED: ("user", "You may claim it again"),
    _S.BLOCKED: ("users", "Operations compare the two accounts"),
    _S.WITHDRAWN: ("circle-check", "Nobody needs to act"),
}
# Why something was refused, and what to do, for its holder.
REFUSED: Mapping[Refusal, str] = {
    Refusal.NOT_SHOWN: "Neither the register nor what you sent shows it. Send the page of the "
    "register or the certificate on which it stands, then ask again.",
    Refusal.NOTHING_SENT: "The register does not show it to us, and you sent no file. Send a "
    "photograph or scan of the certificate or of the page of the register, then ask again.",
    Refusal.UNREADABLE: "The file that you sent cannot be read. Send a sharp photograph or scan of "
    "the whole page, as a PDF, PNG or JPEG, then ask again.",
    Refusal.OTHER_PERSON: "What you sent names somebody else than your papers. Send one with your "
    "own name on it, or give your name as on your papers in your profile, then ask again.",
}
# Those that are over and done with.
PAST = frozenset({_S.REVOKED, _S.WITHDRAWN})
# How each verifier is described before a claim, by the first fitting beginning of its key.
CHECKED_BY: tuple[tuple[str, str], ...] = (
    ("us.npi", "The national register of providers is asked within minutes."),
    ("github", "You sign in at GitHub once, which shows that the account is yours."),
    ("stripe.identity", "A check of your identity document lifts it to level 3."),
    ("manual", "A person looks it up in the register, mostly within two working days."),
)


def in_short(kind: CredentialType) -> str:
    """How it is written, for the list to choose from."""
    if len(kind.formats) == 1:
        only = next(iter(kind.formats.values()))
        return f"{only.description.capitalize()}, such as {only.example}."
    return f"Written differently in {count(len(kind.formats), 'place')}; the next page says how."


def about(kind: CredentialType) -> str:
    """What becomes of a claim of this type, in sentences."""
    said = [
        words
        for beginning, words in CHECKED_BY
        if any(key.startswith(beginning) for key in kind.verifiers)
        and not (beginning == "manual" and kind.auto_verify)
    ]
    ends = (
        "It has a last day; we remind you 60, 30 and 7 days before."
        if kind.expires
        else "It has no last day, and is looked at again each year."
    )
    sold = f"It counts as verified from level {kind.sold_level} on."
    return " ".join([*said, sold, ends])


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """A credential as its holder reads it. days_left: None where it does not end or count.

    means, needs: what its level says, and what the next one would take (empty at the highest, and
    where nothing can lift it now).
    """

    claim: CredentialClaim
    title: str
    place: str
    specialties: str
    level_words: str
    means: str
    needs: str
    days_left: int | None
    who: tuple[str, str]
    next_step: str

    @property
    def wants_holder(self) -> bool:
        """Whether its holder should look at it."""
        return self.claim.state in queries.WANTS_HOLDER


def credential_rows(session: Session, claims: Iterable[CredentialClaim]) -> list[CredentialRow]:
    """Credentials in words."""
    known = queries.catalogue(session)
    return [credential_row(known, claim) for claim in claims]


def credential_row(known: Catalogue, claim: CredentialClaim) -> CredentialRow:
    """One credential in words."""
    kind = known.types.get(claim.type)
    may_rise = claim.state in HOLDING | {_S.CLAIMED, _S.CHECKING}
    return CredentialRow(
        claim=claim,
        title=kind.title if kind else claim.type,
        place=places.place_name(claim.jurisdiction) if claim.jurisdiction else "",
        specialties=", ".join(map(known.specialty_title, claim.specialties)),
        level_words=LEVEL_LABELS[claim.level],
        means=MEANS[claim.level],
        needs=NEEDS.get(claim.level, "") if may_rise else "",
        days_left=days_left(claim.valid_until) if claim.state in HOLDING else None,
        who=WHO_ACTS[claim.state],
        next_step=NEXT_STEPS[claim.state],
    )


def refused_words(known: Catalogue, detail: queries.ClaimDetail) -> tuple[str, str] | None:
    """What was refused, and what to send; None where nothing was, or something is asked since."""
    last = detail.refused
    if last is None or last.refusal is None:
        return None
    if isinstance(last, CredentialRenewal):
        until = format_date(last.valid_until, "long", locale="en_GB")
        what = f"Your renewal until {until} was not granted."
    else:
        left = [each for each in last.specialties if each not in (last.granted or ())]
        what = f"Not added: {', '.join(map(known.specialty_title, left))}."
    return what, f"{REFUSED[last.refusal]} What holds, holds as it did."


def further(known: Catalogue, detail: queries.ClaimDetail) -> dict[str, dict[str, str]]:
    """The specialties that a credential does not cover yet, by heading."""
    covered = set(detail.claim.specialties)
    listed = {
        heading: {key: title for key, title in titles.items() if key not in covered}
        for heading, titles in known.professions[detail.claim.profession].headings.items()
    }
    return {heading: titles for heading, titles in listed.items() if titles}


def days_left(until: date | None) -> int | None:
    """Whole days until the last day; None for what never ends."""
    return None if until is None else (until - clock.now().date()).days
