"""Whether somebody writes nearly the same again; pure.

Overlap of word triples (shingles; Broder 1997), as an index of which text held each triple.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

WORDS_LEAST = 8  # Shorter texts are alike by themselves.
SHINGLE = 3
NEARLY = 0.8


def nearly_repeated(texts: Sequence[str], *, nearly: float = NEARLY) -> list[bool | None]:
    """For each text, in order, whether an earlier one shares `nearly` of all their word triples.

    None for texts that are too short to tell.
    """
    held: dict[tuple[str, ...], list[int]] = defaultdict(list)
    sizes: list[int] = []
    found: list[bool | None] = []
    for at, text in enumerate(texts):
        words = "".join(each if each.isalnum() else " " for each in text.lower()).split()
        if len(words) < WORDS_LEAST:
            found.append(None)
            sizes.append(0)
            continue
        triples = {tuple(words[n : n + SHINGLE]) for n in range(len(words) - SHINGLE + 1)}
        shared = Counter(earlier for triple in triples for earlier in held.get(triple, ()))
        found.append(
            any(n >= nearly * (len(triples) + sizes[other] - n) for other, n in shared.items())
        )
        for triple in triples:
            held[triple].append(at)
        sizes.append(len(triples))
    return found
