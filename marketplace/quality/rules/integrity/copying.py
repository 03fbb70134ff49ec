"""Copied words: near-duplicate rationales, and texts taken from the material."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from marketplace.quality.rules.integrity.findings import Finding, FindingKind

Vector: TypeAlias = npt.NDArray[np.float32]

WIDTH = 256
PRIME, MIXING, MASK = np.uint64(0x01000193), np.uint64(0x85EBCA6B), np.uint64(0xFFFFFFFF)
GRAMS = (3, 4, 5)
WORDS_MIN = 8
ALIKE = 0.8
SHARED = 0.6
RUN = 5
BLOCK = 2_048
PIECES = 10
WORD = re.compile(r"\w+")


def signature(text: str) -> Vector:
    """A vector of length one, float32[256], whose scalar products tell how alike texts are.

    Runs of three to five characters are hashed into 256 signed places (Weinberger and others
    2009), each counted by the logarithm of its number. Only letters and digits count, in lower
    case, so that punctuation and blanks hide nothing. The same text gives the same vector on any
    machine, and an empty one gives zeros. Cosine distance in an index of vectors fits it.
    """
    words = " ".join(WORD.findall(text.casefold()))
    codes = np.frombuffer(words.encode("utf-32-le"), np.dtype("<u4")).astype(np.uint64)
    sums = np.zeros(WIDTH)
    for size in GRAMS:
        runs, numbers = np.unique(_hashed(codes, size), return_counts=True)
        signs = np.where(runs & np.uint64(1 << 31), 1.0, -1.0)
        sums += np.bincount((runs % WIDTH).astype(np.int64), signs * (1 + np.log(numbers)), WIDTH)
    length = float(np.linalg.norm(sums))
    return (sums / length if length else sums).astype(np.float32)


def _hashed(codes: npt.NDArray[np.uint64], size: int) -> npt.NDArray[np.uint64]:
    """A hash of 32 bits of every run of so many characters, the same on any machine."""
    count = len(codes) - size + 1
    found = np.full(max(count, 0), size, np.uint64)
    for at in range(size):
        found = (found * PRIME ^ codes[at : at + max(count, 0)]) & MASK
    # Neighbouring characters differ in few bits; these two steps spread them over all.
    found = ((found ^ (found >> np.uint64(15))) * MIXING) & MASK
    return found ^ (found >> np.uint64(13))


@dataclass(frozen=True, slots=True)
class Text:
    """One rationale: who wrote it, what its answer is called, and of which task."""

    person: Hashable
    name: Hashable
    task: Hashable
    words: str


def near_duplicates(
    texts: Sequence[Text], signatures: npt.NDArray[np.float32] | None = None
) -> list[Finding]:
    """Pairs of people whose texts are nearly the same, and people who hand in one text for many
    tasks. Texts of under eight words are passed over: anybody may write “Both are correct.”

    signatures: float32[n, 256] of the texts where they are kept already.
    """
    long = [at for at, text in enumerate(texts) if len(WORD.findall(text.words)) >= WORDS_MIN]
    if not long:
        return []
    table = (
        np.stack([signature(texts[at].words) for at in long])
        if signatures is None
        else signatures[long]
    )
    met: dict[tuple[Hashable, ...], list[tuple[Text, Text, float]]] = {}
    for one, two in _close(table):
        first, second = texts[long[one]], texts[long[two]]
        if first.person == second.person and first.task == second.task:
            continue
        shared = shared_runs(first.words, second.words)
        if shared >= SHARED:
            both = sorted({first.person, second.person}, key=str)
            met.setdefault(tuple(both), []).append((first, second, shared))
    written = Counter(texts[at].person for at in long)
    found = [_finding(people, pairs, written) for people, pairs in met.items()]
    return sorted(found, key=lambda each: -float(each.numbers["pairs"]))


def _close(table: npt.NDArray[np.float32]) -> Iterator[tuple[int, int]]:
    """Places of texts with likely the same words, block by block; each pair once."""
    for start in range(0, len(table), BLOCK):
        block = table[start : start + BLOCK]
        for other in range(start, len(table), BLOCK):
            alike = block @ table[other : other + BLOCK].T
            for one, two in np.argwhere(alike >= ALIKE).tolist():
                if start + one < other + two:
                    yield start + one, other + two


def _finding(
    people: tuple[Hashable, ...],
    pairs: Sequence[tuple[Text, Text, float]],
    written: Counter[Hashable],
) -> Finding:
    best = sorted(pairs, key=lambda pair: -pair[2])[:PIECES]
    same_task = sum(first.task == second.task for first, second, _ in pairs)
    involved = {name for first, second, _ in pairs for name in (first.name, second.name)}
    return Finding(
        FindingKind.NEAR_DUPLICATE,
        people,
        None,
        {
            "pairs": len(pairs),
            "pairs_of_one_task": same_task,
            "texts_involved": len(involved),
            "texts_written": sum(written[person] for person in people),
            "shared_most": best[0][2],
        },
        tuple((first.name, second.name) for first, second, _ in best),
    )


def runs_of(words: str) -> Counter[tuple[str, ...]]:
    """Five words in a row, and how often each stands in a text; a short text is one run."""
    found = WORD.findall(words.casefold())
    if len(found) < RUN:
        return Counter({tuple(found): 1} if found else {})
    return Counter(tuple(found[at : at + RUN]) for at in range(len(found) - RUN + 1))


def shared_runs(first: str, second: str) -> float:
    """The share (0..1) of the shorter text's runs of five words that stand in the other."""
    one, two = runs_of(first), runs_of(second)
    least = min(one.total(), two.total())
    return (one & two).total() / least if least else 0.0


def copied(
    texts: Sequence[Text], sources: Sequence[str], *, least: float = SHARED
) -> list[Finding]:
    """People whose texts stand word for word in what they were shown.

    sources: of each text, the material of its task and what models said of it, one after another.
    Quotations are usual; what counts is a text that is little else.
    """
    held: dict[Hashable, list[tuple[Text, float]]] = {}
    written = Counter(text.person for text in texts)
    for text, source in zip(texts, sources, strict=True):
        mine = runs_of(text.words)
        if len(WORD.findall(text.words)) < WORDS_MIN:
            continue
        share = (mine & runs_of(source)).total() / mine.total()
        if share >= least:
            held.setdefault(text.person, []).append((text, share))
    found = [
        Finding(
            FindingKind.COPYING,
            (person,),
            None,
            {
                "texts_copied": len(pieces),
                "texts_written": written[person],
                "copied_share_mean": float(np.mean([share for _, share in pieces])),
            },
            tuple(text.name for text, _ in sorted(pieces, key=lambda each: -each[1])[:PIECES]),
        )
        for person, pieces in held.items()
    ]
    return sorted(found, key=lambda each: -float(each.numbers["texts_copied"]))
