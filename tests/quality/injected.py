"""Crowds with known wrongdoers: spammers, and groups that copy from one of them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Row = tuple[Hashable, Hashable, Hashable]
DAY = 86_400.0
WORDS = tuple(f"word{at}" for at in range(400))


def honest(seed: int, *, tasks: int = 200, authors: int = 40, seats: int = 6) -> list[Row]:
    """Three labels; authors are right with 0.6 to 0.95 and mistake mostly for the next label."""
    source = np.random.default_rng(seed)
    truth = source.integers(0, 3, tasks)
    skill = source.uniform(0.6, 0.95, authors)
    rows: list[Row] = []
    for task in range(tasks):
        for author in source.permutation(authors)[:seats]:
            slip = 1 if source.random() < 0.7 else 2
            wrong = source.random() > skill[author]
            rows.append((task, f"a{author}", f"l{(truth[task] + slip * wrong) % 3}"))
    return rows


def with_spam(rows: Sequence[Row], seed: int, *, share: float = 0.15) -> list[Row]:
    """The rows with authors `spam0` … who throw dice, answer by the usual shares, or always alike;
    each does as much as some honest author."""
    source = np.random.default_rng(seed)
    tasks = sorted({row[0] for row in rows}, key=str)
    labels = [str(row[2]) for row in rows]
    known = sorted(set(labels))
    loads = np.unique([str(row[1]) for row in rows], return_counts=True)[1]
    found = list(rows)
    for number in range(max(3, int(share * len(loads)))):
        size = min(len(tasks), max(8, int(source.choice(loads))))
        for at in source.permutation(len(tasks))[:size]:
            said = (
                known[source.integers(len(known))],
                labels[source.integers(len(labels))],
                known[number // 3 % len(known)],
            )[number % 3]
            found.append((tasks[at], f"spam{number}", said))
    return found


@dataclass(frozen=True)
class Ring:
    """rows; who copies from whom or is copied; by row: seconds, and the rationale."""

    rows: list[Row]
    members: set[Hashable]
    times: npt.NDArray[np.float64]
    texts: list[str]


def with_rings(
    rows: Sequence[Row], seed: int, *, rings: int = 3, size: int = 3, rate: float = 0.6
) -> Ring:
    """Groups in which all but the first take over `rate` of its labels on the tasks they share:
    within a quarter of an hour, and most of its words with three changed. Everybody works in
    sittings of fifteen answers over two weeks; rationales of one task share half their words."""
    source = np.random.default_rng(seed)
    held: dict[Hashable, dict[Hashable, Hashable]] = {}
    for task, author, label in rows:
        held.setdefault(author, {})[task] = label
    about = {task: source.choice(WORDS, 12) for task in dict.fromkeys(row[0] for row in rows)}
    times: dict[tuple[Hashable, Hashable], float] = {}
    texts: dict[tuple[Hashable, Hashable], list[str]] = {}
    for author, said in held.items():
        begins = source.uniform(0, 14 * DAY, len(said) // 15 + 1)
        order = list(said)
        for at, where in enumerate(source.permutation(len(order))):
            task = order[where]
            times[author, task] = begins[at // 15] + 60 * (at % 15) + source.uniform(0, 40)
            words = [*source.choice(about[task], 6), *source.choice(WORDS, 8)]
            texts[author, task] = [str(word) for word in words]
    groups = _groups(held, source, rings, size)
    for leader, *others in groups:
        for author in others:
            for task in sorted(held[author].keys() & held[leader].keys(), key=str):
                if source.random() < rate:
                    held[author][task] = held[leader][task]
                    times[author, task] = times[leader, task] + source.uniform(30, 900)
                    if source.random() < 0.7:
                        words = list(texts[leader, task])
                        for place in source.permutation(len(words))[:3]:
                            words[place] = str(source.choice(WORDS))
                        texts[author, task] = words
    changed = [
        (task, author, label) for author, said in held.items() for task, label in said.items()
    ]
    return Ring(
        changed,
        {author for group in groups for author in group},
        np.array([times[author, task] for task, author, _ in changed]),
        [" ".join(texts[author, task]) for task, author, _ in changed],
    )


def _groups(
    held: dict[Hashable, dict[Hashable, Hashable]],
    source: np.random.Generator,
    rings: int,
    size: int,
) -> list[list[Hashable]]:
    """Groups of authors who share ten tasks or more with their first."""
    authors = [author for author, said in held.items() if len(said) >= 20]
    order = [authors[at] for at in source.permutation(len(authors))]
    used: set[Hashable] = set()
    found: list[list[Hashable]] = []
    for leader in order:
        if len(found) == rings:
            break
        near = [
            author
            for author in order
            if author != leader
            and author not in used
            and len(held[author].keys() & held[leader].keys()) >= 10
        ]
        near.sort(key=lambda author: -len(held[author].keys() & held[leader].keys()))
        if leader not in used and len(near) >= size - 1:
            found.append([leader, *near[: size - 1]])
            used.update(found[-1])
    return found


def area(scores: npt.NDArray[np.float64], wanted: npt.NDArray[np.bool_]) -> float:
    """The area under the curve: how often a wanted one scores above another."""
    apart = scores[wanted][:, None] - scores[~wanted][None, :]
    return float(((apart > 0) + 0.5 * (apart == 0)).mean())
