"""What a task brought and takes home again: kept word for word beside the item it became.

It stands in the item's `metadata`, under `label_studio`: {"task", "data", "places", "annotations",
"predictions"}. `data` leaves out what the payload holds anyway; `places` says where it does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from marketplace.tasktypes.label_studio.dialect import Dialect, Place, name_of, value_of
from marketplace.tasktypes.shapes import Json

CORNER = "label_studio"
SAID = ("annotations", "predictions")
OWN = frozenset({"data", *SAID})
SHORT = 40  # Texts below this are cheaper to keep than to look for.
STRINGS_MAX = 1_000


def kept_of(task: Json, content: Json, payload: Json) -> Json:
    """What to keep of a task that became this payload."""
    texts = dict(_texts(payload))
    data: Json = {}
    places: dict[str, list[str | int]] = {}
    for name, value in content.items():
        if name != "metadata" and name in payload and payload[name] == value:
            places[name] = [name]
        elif isinstance(value, str) and len(value) >= SHORT and value in texts:
            places[name] = texts[value]
        else:
            data[name] = value
    kept = {
        "task": {name: value for name, value in task.items() if name not in OWN},
        "data": data,
        "places": places,
    }
    return kept | {name: objects(task[name]) for name in SAID if name in task}


def _texts(payload: Json) -> Iterator[tuple[str, list[str | int]]]:
    """The texts of a payload with their places, the first places last so that they win."""
    found: list[tuple[str, list[str | int]]] = []
    waiting: list[tuple[Any, list[str | int]]] = [(payload, [])]
    while waiting and len(found) < STRINGS_MAX:
        value, path = waiting.pop(0)
        if isinstance(value, str):
            found.append((value, path))
        elif isinstance(value, dict):
            waiting += [(inner, [*path, key]) for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [(inner, [*path, at]) for at, inner in enumerate(value)]
    yield from reversed(found)


def objects(value: object) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def originals_of(payload: Json) -> Json | None:
    """What was kept of the task that an item came from; None for items of another origin."""
    metadata = payload.get("metadata")
    kept = metadata.get(CORNER) if isinstance(metadata, dict) else None
    if not isinstance(kept, dict) or not {"task", "data", "places"} <= kept.keys():
        return None
    return kept


def content_of(kept: Json, payload: Json) -> Json:
    """A task's data, put together again."""
    found = dict(kept["data"])
    for name, path in kept["places"].items():
        value: Any = payload
        for step in path:
            value = value[step]
        found[name] = value
    return found


def results_in(kept: Json) -> tuple[Json, ...]:
    """All results that a task brought, those of people first, as its own names stand there."""
    told = [*kept.get("annotations", []), *kept.get("predictions", [])]
    return tuple(result for each in told for result in objects(each.get("result")))


def as_they_came(dialect: Dialect, place: Place, kept: Json, said: list[Json]) -> list[Json]:
    """Results with what they were made of: those that say what a result of the task said take its
    place word for word; those that say something else of the same region keep its id."""
    former: dict[object, list[_Former]] = {}
    for each in _formers(dialect, place, kept):
        former.setdefault(each.key, []).append(each)
    found: list[Json] = []
    for key, ours in _bundles(said).items():
        same = former.get(key, [])
        bare = _bare(ours) if same else []
        match = next((each for each in same if _bare(each.ours) == bare), None)
        if match is not None:
            home = {"origin": "prediction"} if match.predicted else {}
            found += [{**one, **home} for one in match.theirs]
        elif same:
            ids = [one.get("id") for one in same[0].theirs if "id" in one]
            changed = "prediction-changed" if same[0].predicted else "manual"
            for at, one in enumerate(ours):
                name = {"id": ids[min(at, len(ids) - 1)]} if ids and "id" in one else {}
                found.append({**one, **name, "origin": changed})
        else:
            found += [{**one, "origin": "manual"} for one in ours]
    return found


@dataclass(frozen=True, slots=True)
class _Former:
    """What some results of the task say of one thing, in our words and in theirs; predicted:
    whether a model said it."""

    key: object
    ours: list[Json]
    theirs: list[Json]
    predicted: bool


def _formers(dialect: Dialect, place: Place, kept: Json) -> Iterator[_Former]:
    for name, predicted in zip(reversed(SAID), (True, False), strict=True):
        for each in objects(kept.get(name)):
            theirs = _bundles(objects(each.get("result")))
            read = dialect.judgement(place, objects(each.get("result")), Counter())
            if dialect.unsayable(place, read):
                continue
            for key, ours in _bundles(dialect.results(place, read)).items():
                if key in theirs:
                    yield _Former(key, ours, theirs[key], predicted)


def _bundles(results: list[Json]) -> dict[object, list[Json]]:
    """Results by what they speak of: a region, a pair of regions, a control, a chat's message."""
    found: dict[object, list[Json]] = {}
    regions = {name_of(each.get("id")) for each in results if _lies_somewhere(value_of(each))}
    for each in results:
        name = name_of(each.get("id"))
        key: object
        if each.get("type") == "relation":
            key = frozenset(name_of(each.get(end)) for end in ("from_id", "to_id"))
        elif each.get("type") == "chatmessage":
            key = ("chat", sum(isinstance(k, tuple) and k[0] == "chat" for k in found))
        elif name in regions:
            key = ("region", name)
        else:
            key = str(each.get("from_name"))
        found.setdefault(key, []).append(each)
    return found


def _lies_somewhere(value: Json) -> bool:
    return not value.keys().isdisjoint({"x", "start", "points", "globalOffsets", "rle"})


def _bare(results: list[Json]) -> list[tuple[object, ...]]:
    """What results say, without ids and origins, in an order that does not matter."""
    told = [
        (
            str(each.get("from_name")),
            str(each.get("type")),
            str(sorted(value_of(each).items())),
            str([each.get(key) for key in ("from_id", "to_id", "direction", "labels")]),
        )
        for each in results
    ]
    return sorted(told)
