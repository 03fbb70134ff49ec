"""Published lists of excluded and sanctioned people: what a hit is, and how it may end; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from marketplace.specialists.rules.names import PARTICLES, SAME_NAME_MIN, name_score, name_words


class PublishedList(StrEnum):
    """The lists that people are screened against."""

    LEIE = "leie"
    OFAC = "ofac"


class SnapshotState(StrEnum):
    """Where one edition of a list stands."""

    LOADING = "loading"
    LOADED = "loaded"
    FAILED = "failed"


class HitState(StrEnum):
    """Where a hit stands; `closed` ones left the list or fit no more."""

    OPEN = "open"
    CLEARED = "cleared"
    CONFIRMED = "confirmed"
    CLOSED = "closed"


class HitGrade(StrEnum):
    """A strong hit has a second factor beside the name, or the NPI; a weak one the name alone."""

    STRONG = "strong"
    WEAK = "weak"


_H = HitState
HIT_NEXT: Mapping[HitState, frozenset[HitState]] = {
    _H.OPEN: frozenset({_H.CLEARED, _H.CONFIRMED, _H.CLOSED}),
    # A clearance runs out; new evidence opens the hit again before that.
    _H.CLEARED: frozenset({_H.OPEN, _H.CLOSED}),
    # What was confirmed by mistake is looked at again.
    _H.CONFIRMED: frozenset({_H.OPEN, _H.CLOSED}),
    _H.CLOSED: frozenset(),
}
SNAPSHOT_NEXT: Mapping[SnapshotState, frozenset[SnapshotState]] = {
    SnapshotState.LOADING: frozenset({SnapshotState.LOADED, SnapshotState.FAILED}),
    SnapshotState.LOADED: frozenset(),
    SnapshotState.FAILED: frozenset(),
}
LIST_LABELS: Mapping[PublishedList, str] = {
    PublishedList.LEIE: "LEIE, exclusions by the US Office of Inspector General",
    PublishedList.OFAC: "OFAC, specially designated nationals",
}
LIST_NAMES: Mapping[PublishedList, str] = {
    PublishedList.LEIE: "LEIE",
    PublishedList.OFAC: "OFAC SDN",
}
SOURCES: Mapping[PublishedList, str] = {
    PublishedList.LEIE: "https://oig.hhs.gov/exclusions/exclusions_list.asp",
    PublishedList.OFAC: "https://sanctionslist.ofac.treas.gov/Home/SdnList",
}
VERIFIERS: Mapping[PublishedList, str] = {
    PublishedList.LEIE: "us.leie",
    PublishedList.OFAC: "us.ofac",
}
# LEIE comes out monthly by the 10th: what is older than this has missed an edition.
OLD_AFTER = timedelta(days=40)
CLEARED_FOR = timedelta(days=365)
# An edition that drops more than this share of the one before is more likely cut short.
SHRINK_MAX = 0.2
SHRINK_FROM = 100
# With the same day of birth, a name may be spelled otherwise.
NAME_WITH_BIRTH_MIN = 0.7
NO_NPI = "0000000000"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom to look for. names: all that they go by; born_on: ISO date or None; places: codes."""

    names: tuple[str, ...]
    born_on: str | None
    npis: frozenset[str]
    places: frozenset[str]


@dataclass(frozen=True, slots=True)
class Match:
    """Why an entry may be this person. matched: of `npi`, `birth`, `birth_year`, `place`, `name`;
    score: of the names, 0 to 1."""

    grade: HitGrade
    score: float
    matched: tuple[str, ...]


def match_of(
    subject: Subject,
    names: Iterable[str],
    npi: str | None,
    born: Collection[str],
    places: Collection[str],
) -> Match | None:
    """How an entry of a list fits a person; None where it does not.

    born: ISO dates or years. An NPI alone is enough, but never the ten noughts that stand for
    none. Another day of birth rules the name out.
    """
    birth = _birth(subject.born_on, born)
    same_npi = bool(npi) and npi != NO_NPI and npi in subject.npis
    if birth == "other" and not same_npi:
        return None  # Most end here, before their names are looked at.
    score = round(
        max((name_score(one, other) for one in subject.names for other in names), default=0.0), 3
    )
    found = [birth] if birth in {"birth", "birth_year"} else []
    found += ["place"] if subject.places.intersection(places) else []
    found += ["name"] if score >= NAME_WITH_BIRTH_MIN else []
    if same_npi:
        return Match(HitGrade.STRONG, score, ("npi", *found))
    if "name" not in found:
        return None
    if birth == "birth":
        return Match(HitGrade.STRONG, score, tuple(found))
    if score < SAME_NAME_MIN:
        return None
    grade = HitGrade.STRONG if "place" in found else HitGrade.WEAK
    return Match(grade, score, tuple(found))


def _birth(mine: str | None, theirs: Collection[str]) -> str | None:
    """`birth` for the same day, `birth_year` for the year of one that is all they say, `other`."""
    if mine is None or not theirs:
        return None
    if mine in theirs:
        return "birth"
    return "birth_year" if mine[:4] in theirs else "other"


def stronger(one: Match, state: HitState, before: HitGrade) -> bool:
    """Whether a cleared hit must be looked at again: it was weak, and now there is more."""
    return state is HitState.CLEARED and before is HitGrade.WEAK and one.grade is HitGrade.STRONG


_SOUNDS = (("ph", "f"), ("ck", "k"), ("sch", "s"), ("sh", "s"), ("th", "t"), ("dj", "j"))
_LETTERS = str.maketrans("cqxzvdgw", "kkssftkf")
_SILENT = frozenset("aeiouyh")
KEY_WORDS_MAX = 6


def name_keys(names: Iterable[str]) -> list[str]:
    """Keys by which alike names find each other: the sound of one word, the first of another.

    They only spare comparisons: two names that `name_score` finds alike share a key in most cases,
    also with a letter off, an initial, or another order; most names share none.
    """
    keys: set[str] = set()
    for name in names:
        words = name_words(name)
        proper = [word for word in words if word not in PARTICLES]
        chosen = (proper if len(proper) > 1 else words)[:KEY_WORDS_MAX]
        sounds = [(word, sound_of(word)) for word in chosen]
        for place, (word, sound) in enumerate(sounds):
            if len(word) == 1:
                continue
            rest = sounds[:place] + sounds[place + 1 :]
            keys.update(f"{sound}.{other[0]}" for _, other in rest)
            if not rest:
                keys.add(f"{sound}.")
    return sorted(keys)


def sound_of(word: str) -> str:
    """A word's consonants, those alike taken together and repeats once; never empty."""
    for letters, sound in _SOUNDS:
        word = word.replace(letters, sound)
    plain = word.translate(_LETTERS)
    kept = ["a" if plain[0] in _SILENT - {"h"} else plain[0]]
    for letter in plain[1:]:
        if letter not in _SILENT and letter != kept[-1]:
            kept.append(letter)
    return "".join(kept)
