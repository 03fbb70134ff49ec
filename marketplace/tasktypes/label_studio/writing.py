"""Judgements as annotations: the export format `label_studio`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

from marketplace.tasktypes.exports import Counts, Exporter, ExportRow, Policy
from marketplace.tasktypes.formats import EVERY
from marketplace.tasktypes.formats.annotations import LABEL_STUDIO
from marketplace.tasktypes.label_studio.controls import Config, Control
from marketplace.tasktypes.label_studio.dialect import RATIONALES, Dialect, Place, key_of, whole
from marketplace.tasktypes.label_studio.originals import (
    SAID,
    as_they_came,
    content_of,
    originals_of,
    results_in,
)
from marketplace.tasktypes.records import AuthoredJudgement, Record
from marketplace.tasktypes.shapes import Json

Ballots: TypeAlias = Callable[
    [Record, Policy, Counts], Iterator[tuple[AuthoredJudgement | None, Json]]
]


# Tags that show a list; Label Studio refuses a task that lacks what a tag shows.
LISTS = frozenset({"List", "Paragraphs", "Chat"})


def every_judgement(
    record: Record, _policy: Policy, counts: Counts
) -> Iterator[tuple[AuthoredJudgement | None, Json]]:
    """Each judgement with its author."""
    if not record.judgements:
        counts.drop("no_judgement")
    for one in record.in_order():
        counts.keep()
        yield one, one.judgement


def exporter(
    dialect: Dialect,
    *,
    ballots: Ballots = every_judgement,
    policies: frozenset[Policy] = EVERY,
) -> Exporter:
    """Tasks with an annotation for each judgement, as Label Studio imports them.

    ballots: which judgements of an item are told, counting them.
    """

    def convert(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
        for record in records:
            place, kept = place_of(dialect, record)
            told = []
            aside = Counts()
            for one, judgement in ballots(record, policy, aside):
                reason = dialect.unsayable(place, judgement)
                if reason is not None:
                    aside.kept -= 1
                    aside.dropped[reason] += 1
                    continue
                told.append(annotation(dialect, place, kept, one, judgement))
            counts.add(aside)
            if told:
                yield task(dialect, place, record, kept, told)

    return LABEL_STUDIO.by(convert, policies=policies)


def place_of(dialect: Dialect, record: Record) -> tuple[Place, Json]:
    """Where an item's results are written, and what was kept of the task it came from."""
    kept = originals_of(record.payload)
    own = {name: value for name, value in record.payload.items() if name != "metadata"}
    content = own if kept is None else content_of(kept, record.payload)
    results = () if kept is None else results_in(kept)
    config = dialect.config(record.template, results)
    return Place(record.template, config, content, own, results), kept or {}


def annotation(
    dialect: Dialect,
    place: Place,
    kept: Json,
    one: AuthoredJudgement | None,
    judgement: Json,
) -> Json:
    """One annotation; what most say has no author."""
    mine = place
    if "image" in judgement:
        # The size that whoever judged it saw stands for a size that the task did not tell.
        mine = replace(place, payload={**place.payload, **judgement["image"]})
    said = as_they_came(dialect, mine, kept, dialect.results(mine, judgement))
    if one is not None and one.rationale:
        control = rationale_of(place.config)
        said.append({**whole(control, {"text": [one.rationale]}), "origin": "manual"})
    told: dict[str, Any] = {
        "result": said,
        "result_count": len(said),
        "was_cancelled": False,
        "ground_truth": False,
    }
    if one is not None:
        # Label Studio refuses a task whose `completed_by` is none of its own accounts.
        told |= {"unique_id": one.annotation_id, "meta": {"author": one.author}}
        told |= {"created_at": one.submitted_at, "lead_time": one.active_seconds}
    return told


def rationale_of(config: Config) -> Control:
    """The control that asks for reasons, `rationale` where the lab has none."""
    asked = (each for each in config.of("TextArea") if key_of(each.name) in RATIONALES)
    return next(asked, Control("rationale", "TextArea", config.first))


def task(dialect: Dialect, place: Place, record: Record, kept: Json, told: list[Json]) -> ExportRow:
    """A task as it came, with the new annotations after those that it had."""
    if kept:
        return {
            **kept["task"],
            "data": place.content,
            **{name: kept[name] for name in SAID if name in kept},
            "annotations": [*kept.get("annotations", []), *told],
        }
    return {
        "data": {**_empty_lists(place), **place.content},
        "meta": {"external_id": record.external_id, "item_id": record.item_id},
        "annotations": told,
        "predictions": [
            {
                "model_version": " ".join(filter(None, (said["model"], said.get("version")))),
                "score": said.get("confidence"),
                "result": dialect.results(place, said["payload"]),
            }
            for said in record.prelabels
            if dialect.unsayable(place, said["payload"]) is None
        ],
    }


def _empty_lists(place: Place) -> Json:
    """An empty list for each that the configuration shows."""
    lists = (each for each in place.config.shown.values() if each.tag in LISTS)
    return {each.datum: [] for each in lists}
