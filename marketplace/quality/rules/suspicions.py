"""From the answers of a job to findings: which detector sees what, and whose speed does not count.

Pure: what is read and written stands in `service.gathering`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

import numpy as np
import numpy.typing as npt

from marketplace.quality.rules import categorical
from marketplace.quality.rules.ballots import Scheme
from marketplace.quality.rules.crowd import Labels
from marketplace.quality.rules.evidence_packs import ABOUT_INPUT, PackKind, worth_a_question
from marketplace.quality.rules.integrity import (
    Answers,
    Finding,
    Session,
    Text,
    Timed,
    collusion,
    copied,
    haste,
    near_duplicates,
    position,
    sharing,
)
from marketplace.tasktypes import Json

Signature: TypeAlias = npt.NDArray[np.float32]

WIDTH = 256
PEOPLE_MIN = 3
VOTES_MIN = 30
PIECES = 10
APART_SECONDS = 1e9  # Further from everybody than anybody's working life.
STRETCH_SECONDS = 3_600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. characters: how many there were to read; at: when it came, seconds of the epoch;
    order: the names in the order in which they were shown."""

    name: UUID
    person: UUID
    task: UUID
    seconds: int
    characters: int
    at: float
    order: tuple[str, ...]
    judgement: Json
    rationale: str
    round: int = 1


@dataclass(frozen=True, slots=True)
class Seen:
    """What one job shows. answers: in order of time; signatures: of their rationales; near: those
    whose words are nearly another's; sources: what the author was shown, of each task; exempt:
    people whose speed and wording do not count; closed: until when a person's answers were looked
    at already, by kind and person."""

    answers: Sequence[Answer]
    scheme: Scheme
    signatures: Mapping[UUID, Signature]
    near: Collection[UUID]
    sources: Mapping[UUID, str]
    exempt: Collection[UUID]
    closed: Mapping[tuple[PackKind, UUID], float]


def suspicions(seen: Seen) -> list[Finding]:
    """What is worth a question; pieces are ids of answers, alone or in pairs."""
    found = [
        *_haste(_left(seen, PackKind.HASTE)),
        *_copied(_left(seen, PackKind.COPYING), seen.sources),
        *_near(_left(seen, PackKind.NEAR_DUPLICATE), seen),
        *_collusion(_left(seen, PackKind.COLLUSION), seen),
        *_position(_left(seen, PackKind.POSITION)),
        *_changed(_left(seen, PackKind.SHARING), seen),
    ]
    return [each for each in found if worth_a_question(each)]


def _left(seen: Seen, kind: PackKind) -> list[Answer]:
    """The answers that count for a kind: later than what was closed, and of whom it may concern."""
    exempt = seen.exempt if kind in ABOUT_INPUT else ()
    return [
        each
        for each in seen.answers
        if each.person not in exempt and each.at > seen.closed.get((kind, each.person), 0.0)
    ]


def _haste(answers: Sequence[Answer]) -> list[Finding]:
    timed = [each for each in answers if each.seconds and each.round == 1]
    if len({each.person for each in timed}) < PEOPLE_MIN:
        return []
    return haste(
        Timed(
            [each.person for each in timed],
            [each.name for each in timed],
            np.array([each.seconds for each in timed], np.float64),
            np.array([each.characters for each in timed], np.float64),
        )
    )


def _texts(answers: Iterable[Answer]) -> list[Text]:
    return [
        Text(each.person, each.name, each.task, each.rationale)
        for each in answers
        if each.rationale
    ]


def _copied(answers: Sequence[Answer], sources: Mapping[UUID, str]) -> list[Finding]:
    texts = _texts(answers)
    return copied(texts, [sources.get(UUID(str(text.task)), "") for text in texts])


def _near(answers: Sequence[Answer], seen: Seen) -> list[Finding]:
    """Only those are compared word by word whose signatures are near another's."""
    texts = _texts(each for each in answers if each.name in seen.near)
    if not texts:
        return []
    written = Counter(each.person for each in answers if each.rationale)
    table = np.stack([_signature(seen, UUID(str(text.name))) for text in texts])
    return [
        replace(
            each,
            numbers={
                **each.numbers,
                "texts_written": sum(written[UUID(str(who))] for who in each.persons),
            },
        )
        for each in near_duplicates(texts, table)
    ]


def _signature(seen: Seen, name: UUID) -> Signature:
    found = seen.signatures.get(name)
    return np.zeros(WIDTH, np.float32) if found is None else found


def _last_words(answers: Sequence[Answer]) -> list[Answer]:
    """Each person's last answer to each task."""
    return list({(each.person, each.task): each for each in answers}.values())


def _collusion(answers: Sequence[Answer], seen: Seen) -> list[Finding]:
    """On the question with the most votes. Times of who is exempt are put far from everybody's."""
    rows = _votes(_last_words(answers), seen.scheme)
    if len(rows) < VOTES_MIN:
        return []
    named = Labels.of((case, each.person, label) for case, label, each in rows)
    if len(named.authors) < PEOPLE_MIN or named.repeated:
        return []
    far = {person: APART_SECONDS * at for at, person in enumerate(sorted(seen.exempt), 1)}
    times = np.array([each.at + far.get(each.person, 0.0) for *_, each in rows])
    signatures = np.stack([_signature(seen, each.name) for *_, each in rows])
    held = Answers(
        named.labels,
        categorical.fit(named.labels),
        times=times,
        signatures=signatures if signatures.any() else None,
    )
    return [
        replace(
            each,
            pieces=tuple((rows[one][2].name, rows[two][2].name) for one, two in each.pieces),
        )
        for each in collusion(held, named.authors)
    ]


def _votes(answers: Sequence[Answer], scheme: Scheme) -> list[tuple[Any, str, Answer]]:
    by_task: dict[UUID, list[Answer]] = defaultdict(list)
    for each in answers:
        by_task[each.task].append(each)
    votes: dict[str, list[tuple[Any, str, Answer]]] = defaultdict(list)
    for task, given in by_task.items():
        if len(given) < 2:
            continue
        ballots = scheme.ballots([each.judgement for each in given])
        for each, ballot in zip(given, ballots, strict=True):
            for unit, label in ballot.items():
                votes[scheme.question(unit)].append(((task, unit), label, each))
    return max(votes.values(), key=len, default=[])


def _position(answers: Sequence[Answer]) -> list[Finding]:
    """Of choices between things whose order was drawn by lot."""
    favoured: dict[Hashable, list[tuple[int, int]]] = defaultdict(list)
    named: dict[tuple[UUID, str], list[UUID]] = defaultdict(list)
    for each in answers:
        choice = each.judgement.get("choice") if isinstance(each.judgement, dict) else None
        if len(each.order) < 2 or choice not in each.order:
            continue
        place, places = each.order.index(choice), len(each.order)
        favoured[each.person].append((place, places))
        if place in {0, places - 1}:
            named[each.person, "first" if place == 0 else "last"].append(each.name)
    return [
        replace(
            each,
            pieces=tuple(named[UUID(str(each.persons[0])), str(each.numbers["place"])][-PIECES:]),
        )
        for each in position(favoured)
    ]


def _changed(answers: Sequence[Answer], seen: Seen) -> list[Finding]:
    """A change of hours and of writing, in stretches of work: an hour's pause begins another."""
    by_person: dict[UUID, list[Answer]] = defaultdict(list)
    for each in answers:
        # Whose wording a tool changes, changes hand with the tool.
        if each.person not in seen.exempt:
            by_person[each.person].append(each)
    sessions = [
        _session(seen, stretch) for mine in by_person.values() for stretch in _stretches(mine)
    ]
    return sharing(sessions)


def _stretches(mine: Sequence[Answer]) -> list[list[Answer]]:
    found: list[list[Answer]] = []
    for each in mine:
        if found and each.at - found[-1][-1].at < STRETCH_SECONDS:
            found[-1].append(each)
        else:
            found.append([each])
    return found


def _session(seen: Seen, stretch: Sequence[Answer]) -> Session:
    written = [_signature(seen, each.name) for each in stretch if each.name in seen.signatures]
    first = stretch[0]
    return Session(
        first.person,
        first.name,
        first.at,
        stretch[-1].at,
        datetime.fromtimestamp(first.at, UTC).hour,
        style=np.mean(written, axis=0, dtype=np.float32) if written else None,
    )
