"""How alike two names of people are, whichever way a form, a register or a bank writes them."""

from __future__ import annotations

import functools
import unicodedata
from itertools import permutations

SAME_NAME_MIN = 0.85
WORDS_MAX = 10
_TITLES = "dr mr mrs ms miss mx prof sir dame md do phd dds dmd np rn pa esq qc kc jr sr ii iii iv"
_PARTICLES = (
    "de del della den der des di do dos da das du la le van von zu zum ter ten el al bin bint "
    "binti ibn abu ben y e af av und the st"
)
TITLES = frozenset(_TITLES.split())
PARTICLES = frozenset(_PARTICLES.split())
# Letters that Unicode does not take apart, though registers write them with plain ones.
PLAIN = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "\u0131": "i",
        "ħ": "h",
    }
)
# An umlaut is written with an e after it where a form has no umlauts.
SPELLED_OUT = (("ae", "a"), ("oe", "o"), ("ue", "u"))
APOSTROPHES = frozenset("'`\u2018\u2019\u02bc\u00b4")

INITIAL_ALIKE = 0.8  # "J" may stand for John; it may also stand for Jane.
ALIKE_MIN = 0.5
NEARLY_ALIKE = 0.75
INITIAL_WEIGHT = 0.5
PARTICLE_WEIGHT = 0.25
CONFLICT_COST = 1.5  # Words on both sides that say different things.
EXTRA_COST = 0.05  # A middle name or a second surname that one side leaves out.
ONE_WORD_MAX = 0.6
NO_WORD_MAX = 0.5
SUBSTITUTION_COST = 1.5  # A letter in place of another: John and Joan are two people.


def name_score(one: str, other: str) -> float:
    """How alike two names are: 1.0 for the same words, 0.0 for nothing in common.

    Case, diacritics, punctuation, titles and the order of the words do not matter. Initials fit
    words that begin with them, particles may be left out, and so may middle names; words that
    differ on both sides weigh most. Symmetric. A name without a letter is like none, not even
    like itself.
    """
    first, second = sorted((name_words(one), name_words(other)))
    if not first or not second:
        return 0.0
    if first == second:
        return 1.0
    return _score(*_joined(first, second))


def same_person_name(one: str, other: str) -> bool:
    """Whether two names may be taken for one person's, with nothing else to go by."""
    return name_score(one, other) >= SAME_NAME_MIN


@functools.lru_cache(maxsize=20_000)
def name_words(name: str) -> tuple[str, ...]:
    """The words of a name in plain small letters, sorted; titles go where two words stay."""
    folded = unicodedata.normalize("NFKD", name.casefold()).casefold().translate(PLAIN)
    kept = "".join(
        each if each.isalpha() else " "
        for each in folded
        if not unicodedata.combining(each) and each not in APOSTROPHES
    )
    words = kept.split()
    proper = [word for word in words if word not in TITLES]
    chosen = proper if len(proper) > 1 else words
    longest = sorted(chosen, key=lambda word: (-len(word), word))[:WORDS_MAX]
    return tuple(sorted(longest))


def _joined(
    first: tuple[str, ...], second: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Both names with "van den berg" as "vandenberg" where the other side writes it so."""
    return _as_written(first, second), _as_written(second, first)


def _as_written(words: tuple[str, ...], like: tuple[str, ...]) -> tuple[str, ...]:
    for whole in like:
        if whole in words:
            continue
        loose = [word for word in words if word not in like and word in whole]
        for count in (2, 3):
            for pieces in permutations(loose, count):
                if "".join(pieces) == whole:
                    rest = list(words)
                    for piece in pieces:
                        rest.remove(piece)
                    return _as_written(tuple(sorted([*rest, whole])), like)
    return words


def _score(first: tuple[str, ...], second: tuple[str, ...]) -> float:
    """The words that pair, against those that contradict each other."""
    weights = _weights(first), _weights(second)
    pairs = _pairs(first, second)
    alike = paired = words = strong = 0.0
    for here, there, degree in pairs:
        weight = _pair_weight(weights[0][here], weights[1][there])
        alike += degree * weight
        paired += weight
        words += weight > PARTICLE_WEIGHT
        strong += weight == 1 and degree >= NEARLY_ALIKE
    loose = [
        sum(
            weight
            for place, weight in enumerate(side)
            if place not in taken and weight > PARTICLE_WEIGHT
        )
        for side, taken in zip(
            weights, ({pair[0] for pair in pairs}, {pair[1] for pair in pairs}), strict=True
        )
    ]
    conflict, extra = min(loose), max(loose) - min(loose)
    if not paired:
        return 0.0
    score = alike / (paired + CONFLICT_COST * conflict + EXTRA_COST * extra)
    if not strong:
        return min(score, NO_WORD_MAX)
    return min(score, ONE_WORD_MAX) if words < 2 else score


def _pair_weight(one: float, other: float) -> float:
    """An initial says little of the word it fits; a word says much of the particle it is."""
    return INITIAL_WEIGHT if INITIAL_WEIGHT in (one, other) else max(one, other)


def _weights(words: tuple[str, ...]) -> list[float]:
    """What each word counts; particles count in full in a name made of little else."""
    proper = [word for word in words if word not in PARTICLES and len(word) > 1]
    light = len(proper) > 1
    return [
        INITIAL_WEIGHT
        if len(word) == 1
        else PARTICLE_WEIGHT
        if light and word in PARTICLES
        else 1.0
        for word in words
    ]


def _pairs(first: tuple[str, ...], second: tuple[str, ...]) -> list[tuple[int, int, float]]:
    """Places of words that mean the same and how alike they are; the most alike pair first."""
    found = sorted(
        (
            (-degree, here, there)
            for here, one in enumerate(first)
            for there, other in enumerate(second)
            if (degree := word_score(one, other)) > 0
        ),
    )
    pairs: list[tuple[int, int, float]] = []
    left, right = set(range(len(first))), set(range(len(second)))
    for degree, here, there in found:
        if here in left and there in right:
            left.remove(here)
            right.remove(there)
            pairs.append((here, there, -degree))
    return pairs


def word_score(one: str, other: str) -> float:
    """How alike two words of names are, 0.0 to 1.0; a letter or two may be off in long ones."""
    if one == other:
        return 1.0
    if min(len(one), len(other)) == 1:
        return INITIAL_ALIKE if one[0] == other[0] else 0.0
    plain = _ratio(one, other)
    spelled = _ratio(_short(one), _short(other))
    degree = max(plain, spelled)
    if degree < ALIKE_MIN:
        return 0.0
    return degree if degree >= NEARLY_ALIKE else degree * degree


def _short(word: str) -> str:
    for long, short in SPELLED_OUT:
        word = word.replace(long, short)
    return word


def _ratio(one: str, other: str) -> float:
    """1 less the edits (missing, added, swapped or other letters) a letter of the longer word."""
    longer = max(len(one), len(other))
    if abs(len(one) - len(other)) > longer * (1 - ALIKE_MIN):
        return 0.0
    before: list[float] = []
    row: list[float] = [float(place) for place in range(len(other) + 1)]
    for down, letter in enumerate(one, 1):
        earlier, before, row = before, row, [float(down)]
        for along, opposite in enumerate(other, 1):
            changed = 0.0 if letter == opposite else SUBSTITUTION_COST
            cost = min(before[along] + 1, row[-1] + 1, before[along - 1] + changed)
            if down > 1 and along > 1 and letter == other[along - 2] and one[down - 2] == opposite:
                cost = min(cost, earlier[along - 2] + 1)
            row.append(cost)
    return 1 - row[-1] / longer
