"""How strong systems are that many items of a job compare; pure.

Pairwise items name the systems behind their slots in their metadata, as
`"models": {"a": …, "b": …}` or `"model_a": …` (`systems` and `system_a` likewise), rankings by
`models` with the names of their responses; the replies of a conversation say which model wrote
them. Where nothing is named there is nothing to tell. Comparisons by Bradley and Terry with ties,
rankings by Plackett and Luce, with the authors' reliability and leaning to a side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np

from marketplace.quality.rules.ballots import AuthorKind
from marketplace.quality.rules.comparisons import Comparisons, Strengths, bradley_terry
from marketplace.quality.rules.rankings import Rankings, plackett_luce
from marketplace.tasktypes import Json

Author = tuple[AuthorKind, str]
NAMED = ("models", "systems")
NAME_MAX = 200
# Systems beyond the most compared ones would make a table that nobody reads.
SYSTEMS_MAX = 100
ITEMS_MIN = 2
TIES = ("tie", "both_bad", "neither")


@dataclass(slots=True)
class Contests:
    """What was compared so far.

    pairs: (task, author, left, right, result 1, 0 or -1); rankings: (task, author, tiers of names).
    """

    pairs: list[tuple[UUID, Author, str, str, int]] = field(default_factory=list)
    rankings: list[tuple[UUID, Author, list[list[str]]]] = field(default_factory=list)

    def add(
        self,
        task_id: UUID,
        author: Author,
        judgement: Json,
        *,
        metadata: Json,
        shown: Sequence[str] = (),
    ) -> None:
        """Take in a judgement. shown: its slots in the order in which its author saw them."""
        for turn in judgement.get("turns", ()):
            for attempt in turn.get("attempts", ()):
                names = {each["slot"]: _writer(each) for each in attempt["replies"]}
                self._pair(task_id, author, names, attempt["choice"], attempt["order"])
        if "tiers" in judgement:
            self._ranking(task_id, author, named(metadata, _slots_of(judgement)), judgement)
        elif "choice" in judgement:
            slots = list(shown) or ["a", "b"]
            self._pair(task_id, author, named(metadata, slots), judgement["choice"], slots)

    def _pair(
        self,
        task_id: UUID,
        author: Author,
        names: Mapping[str, str],
        choice: str,
        order: Sequence[str],
    ) -> None:
        places = [slot for slot in order if names.get(slot)]
        if choice in TIES and len(places) == 2:
            left, right = places
            self._meet(task_id, author, (names[left], names[right]), 0)
        for other in places if choice in places else ():
            first = places.index(choice) < places.index(other)
            pair = (names[choice], names[other]) if first else (names[other], names[choice])
            if other != choice:
                self._meet(task_id, author, pair, 1 if first else -1)

    def _meet(self, task_id: UUID, author: Author, pair: tuple[str, str], result: int) -> None:
        if pair[0] != pair[1]:
            self.pairs.append((task_id, author, *pair, result))

    def _ranking(
        self, task_id: UUID, author: Author, names: Mapping[str, str], judgement: Json
    ) -> None:
        tiers = [[names[slot] for slot in tier if slot in names] for tier in judgement["tiers"]]
        kept = [tier for tier in tiers if tier]
        placed = [name for tier in kept for name in tier]
        if len(placed) >= 2 and len(set(placed)) == len(placed):
            self.rankings.append((task_id, author, kept))


def named(metadata: Json, slots: Sequence[str]) -> dict[str, str]:
    """The systems behind slots, as the metadata of an item names them; empty where it does not."""
    found: dict[str, str] = {}
    for key in NAMED:
        told = metadata.get(key)
        for slot in slots:
            name = told.get(slot) if isinstance(told, dict) else metadata.get(f"{key[:-1]}_{slot}")
            if isinstance(name, str) and name.strip():
                found.setdefault(slot, name.strip()[:NAME_MAX])
    return found


def names_systems(metadata: Json) -> bool:
    """Whether the metadata of an item may name any."""
    return any(key.startswith(("models", "systems", "model_", "system_")) for key in metadata)


def strengths_of(contests: Contests) -> dict[str, Any] | None:
    """The strengths as JSON; None where no two systems meet in two items or more.

    `{method, n, tie, systems: [{name, score, lower, upper, n}], authors: [{kind, author,
    reliability, side, n}]}`; scores are log odds around 0, the bounds hold 90 %.
    """
    met = Counter(name for _, names in _met(contests) for name in names)
    items = Counter(name for _, names in set(_met(contests)) for name in names)
    kept = [name for name, _ in met.most_common(SYSTEMS_MAX) if items[name] >= ITEMS_MIN]
    place = {name: at for at, name in enumerate(sorted(kept))}
    if len(place) < 2:
        return None
    if contests.rankings:
        return _by_rankings(contests, place)
    return _by_pairs(contests, place)


def _met(contests: Contests) -> list[tuple[UUID, frozenset[str]]]:
    found = [(task_id, frozenset((left, right))) for task_id, _, left, right, _ in contests.pairs]
    for task_id, _, tiers in contests.rankings:
        found.append((task_id, frozenset(name for tier in tiers for name in tier)))
    return found


def _by_pairs(contests: Contests, place: Mapping[str, int]) -> dict[str, Any] | None:
    rows = [row for row in contests.pairs if row[2] in place and row[3] in place]
    authors = {author: at for at, author in enumerate(sorted({row[1] for row in rows}))}
    if not rows:
        return None
    left, right, who = (
        np.array(each, np.int32)
        for each in zip(
            *((place[one], place[two], authors[by]) for _, by, one, two, _ in rows), strict=True
        )
    )
    result = np.array([row[4] for row in rows], np.int8)
    seen = Comparisons(left, right, who, result, len(place), len(authors))
    number = np.bincount(np.r_[left, right], minlength=len(place))
    told = _told(bradley_terry(seen), place, authors, number, np.bincount(who))
    return {"method": "bradley_terry", "n": len(rows)} | told


def _by_rankings(contests: Contests, place: Mapping[str, int]) -> dict[str, Any] | None:
    kept = []
    for _, author, tiers in contests.rankings:
        known = [each for tier in tiers if (each := [name for name in tier if name in place])]
        if len(known) > 1 or (known and len(known[0]) > 1):
            kept.append((author, known))
    authors = {author: at for at, author in enumerate(sorted({author for author, _ in kept}))}
    rows = [
        (at, place[name], tier)
        for at, (_, tiers) in enumerate(kept)
        for tier, names in enumerate(tiers)
        for name in names
    ]
    if not any(len(tiers) > 1 for _, tiers in kept):
        return None
    ranking, item, tier = (np.array(each, np.int32) for each in zip(*rows, strict=True))
    who = np.array([authors[author] for author, _ in kept], np.int32)
    seen = Rankings(ranking, item, tier, who, len(place), len(authors))
    number = np.bincount(item, minlength=len(place))
    told = _told(plackett_luce(seen), place, authors, number, np.bincount(who))
    return {"method": "plackett_luce", "n": len(kept)} | told


def _told(
    found: Strengths,
    place: Mapping[str, int],
    authors: Mapping[Author, int],
    met: Any,
    spoken: Any,
) -> dict[str, Any]:
    systems = [
        {
            "name": name,
            "score": float(found.score[at]),
            "lower": float(found.lower[at]),
            "upper": float(found.upper[at]),
            "n": int(met[at]),
        }
        for name, at in place.items()
    ]
    trusted = [
        {
            "kind": kind.value,
            "author": author,
            "reliability": float(found.reliability[at]),
            "side": float(found.side[at]),
            "n": int(spoken[at]),
        }
        for (kind, author), at in authors.items()
    ]
    return {
        "tie": found.tie,
        "systems": [systems[at] for at in np.argsort(-found.score, kind="stable")],
        "authors": trusted,
    }


def _writer(reply: Json) -> str:
    return str(reply.get("model") or reply.get("endpoint") or "")


def _slots_of(judgement: Json) -> list[str]:
    return [slot for tier in judgement["tiers"] for slot in tier]
