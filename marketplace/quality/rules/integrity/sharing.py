"""Account sharing: two places at once, one device for several people, a change of hand.

None of this proves anything: people travel, lend machines, and change their hours. Each finding
says what was seen, so that whoever it is about can answer it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2_contingency

from marketplace.quality.rules.integrity.findings import (
    FALSE_SHARE,
    Finding,
    FindingKind,
    Floats,
    false_shares,
)

OVERLAP_SECONDS = 300.0
SESSIONS_MIN = 12
HOURS_IN_BIN = 4
DRAWS = 400
SEED = 20_061
PIECES = 10


@dataclass(frozen=True, slots=True)
class Session:
    """A stretch of work. begins, ends: seconds since any moment; hour: local, 0..23; device,
    network: salted hashes, empty where unknown; style: a signature of what was written, or None."""

    person: Hashable
    name: Hashable
    begins: float
    ends: float
    hour: int
    device: str = ""
    network: str = ""
    style: npt.NDArray[np.float32] | None = None


def sharing(sessions: Sequence[Session], *, false_share: float = FALSE_SHARE) -> list[Finding]:
    """Everything of this kind that the sessions show, the most telling first."""
    by_person: dict[Hashable, list[Session]] = defaultdict(list)
    for each in sorted(sessions, key=lambda session: session.begins):
        by_person[each.person].append(each)
    found = [one for mine in by_person.values() for one in _at_once(mine)]
    return [*found, *_one_device(sessions), *_changed(by_person, false_share)]


def _at_once(mine: Sequence[Session]) -> Iterable[Finding]:
    """Work that went on for minutes on two devices in two networks at the same time."""
    met = [
        (one, two)
        for at, one in enumerate(mine)
        for two in _begun_before_its_end(mine, at)
        if "" not in (one.device, two.device, one.network, two.network)
        and one.device != two.device
        and one.network != two.network
        and min(one.ends, two.ends) - two.begins >= OVERLAP_SECONDS
    ]
    if met:
        together = [min(one.ends, two.ends) - two.begins for one, two in met]
        numbers: dict[str, float | int | str] = {
            "what": "two_places_at_once",
            "times": len(met),
            "minutes_most": max(together) / 60,
            "sessions": len(mine),
        }
        shown = tuple((one.name, two.name) for one, two in met[:PIECES])
        yield Finding(FindingKind.SHARING, (mine[0].person,), None, numbers, shown)


def _begun_before_its_end(mine: Sequence[Session], at: int) -> Iterable[Session]:
    for later in mine[at + 1 :]:
        if later.begins >= mine[at].ends:
            return
        yield later


def _one_device(sessions: Sequence[Session]) -> list[Finding]:
    """Devices on which several people worked."""
    held: dict[str, list[Session]] = defaultdict(list)
    for each in sessions:
        if each.device:
            held[each.device].append(each)
    found = []
    for mine in held.values():
        people = sorted({each.person for each in mine}, key=str)
        if len(people) > 1:
            numbers: dict[str, float | int | str] = {
                "what": "one_device",
                "people": len(people),
                "sessions": len(mine),
                "networks": len({each.network for each in mine if each.network}),
            }
            shown = tuple(each.name for each in mine[:PIECES])
            found.append(Finding(FindingKind.SHARING, tuple(people), None, numbers, shown))
    return found


def _changed(by_person: dict[Hashable, list[Session]], false_share: float) -> list[Finding]:
    """People whose later half differs from the earlier in hours and in the way of writing."""
    tests = []
    for person, mine in by_person.items():
        if len(mine) >= SESSIONS_MIN:
            hours = _hours_p(mine)
            style, apart, usual = _style_p(mine)
            known = [p for p in (hours, style) if p is not None]
            if known:
                # Both must have changed: the larger of the two bounds the chance of that.
                tests.append((person, mine, max(known), hours, style, apart, usual))
    if not tests:
        return []
    shares = false_shares(np.array([test[2] for test in tests]))
    found = []
    for (person, mine, _, hours, style, apart, usual), share in zip(tests, shares, strict=True):
        if share <= false_share:
            numbers: dict[str, float | int | str] = {
                "what": "changed",
                "sessions": len(mine),
                "hours_p": 1.0 if hours is None else hours,
                "style_p": 1.0 if style is None else style,
                "style_distance": apart,
                "style_distance_usual": usual,
                "devices_before": _devices(mine[: len(mine) // 2]),
                "devices_after": _devices(mine[len(mine) // 2 :]),
            }
            shown = (mine[0].name, mine[-1].name)
            found.append(Finding(FindingKind.SHARING, (person,), float(share), numbers, shown))
    return found


def _devices(mine: Sequence[Session]) -> int:
    return len({each.device for each in mine if each.device})


def _hours_p(mine: Sequence[Session]) -> float | None:
    """Whether earlier and later hours come from one habit: chi-squared over parts of the day."""
    half = len(mine) // 2
    table = np.zeros((2, 24 // HOURS_IN_BIN))
    for at, each in enumerate(mine):
        table[int(at >= half), each.hour // HOURS_IN_BIN] += 1
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return None
    return float(chi2_contingency(table, correction=False).pvalue)


def _style_p(mine: Sequence[Session]) -> tuple[float | None, float, float]:
    """The distance of the mean styles of the halves beside that of halves drawn by lot."""
    written = [each.style for each in mine if each.style is not None and each.style.any()]
    if len(written) < SESSIONS_MIN:
        return None, 0.0, 0.0
    table = np.stack(written).astype(np.float64)
    seen = _apart(table, np.arange(len(table)))
    source = np.random.default_rng(SEED)
    drawn = np.array([_apart(table, source.permutation(len(table))) for _ in range(DRAWS)])
    return float((1 + (drawn >= seen).sum()) / (1 + DRAWS)), seen, float(np.median(drawn))


def _apart(table: Floats, order: npt.NDArray[np.intp]) -> float:
    half = len(order) // 2
    one, two = table[order[:half]].mean(axis=0), table[order[half:]].mean(axis=0)
    return float(1 - one @ two / max(np.linalg.norm(one) * np.linalg.norm(two), 1e-12))
