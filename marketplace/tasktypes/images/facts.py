"""What exporters and readers of images share: which image, which labels, and rows that are kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from marketplace.tasktypes.exports import Counts
from marketplace.tasktypes.images.geometry import rounded
from marketplace.tasktypes.records import AuthoredJudgement, Record
from marketplace.tasktypes.shapes import Json

_NOWHERE = {"", ".", ".."}
_NOT_IN_KEYS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Picture:
    """One judged image. width, height: pixels of the original; alone: no other judgement of it."""

    record: Record
    given: AuthoredJudgement
    name: str
    width: int
    height: int
    sha256: str | None
    alone: bool

    @property
    def regions(self) -> list[Json]:
        """The regions, in the order in which their author left them."""
        regions: list[Json] = self.given.judgement["regions"]
        return regions

    @property
    def annotator(self) -> Json:
        """Who marked it, as the lab may know them."""
        return {
            "annotation_id": self.given.annotation_id,
            "pseudonym": self.given.author,
            "kind": self.given.author_kind,
            **self.given.attested,
        }


def pictures(records: Iterable[Record], counts: Counts) -> Iterator[Picture]:
    """Every judged image whose size is known; the others are dropped, with the reason."""
    for record in records:
        given = record.in_order()
        if not given:
            counts.drop("no_judgement")
        for one in given:
            facts = {**record.payload, **one.judgement.get("image", {})}
            if "width" in facts and "height" in facts:
                yield Picture(
                    record=record,
                    given=one,
                    name=record.payload["image"],
                    width=facts["width"],
                    height=facts["height"],
                    sha256=facts.get("sha256"),
                    alone=len(given) == 1,
                )
            else:
                counts.drop("no_image_size")


def file_of(picture: Picture, suffix: str) -> str:
    """The name of the image's own file of annotations."""
    stem = picture.name.rpartition(".")[0] or picture.name
    folder = "" if picture.alone else f"{picture.given.annotation_id}/"
    return f"{folder}{stem}{suffix}"


class Names:
    """Names inside a ZIP, none twice and none that leads out of it."""

    def __init__(self) -> None:
        self._taken: set[int] = set()

    def own(self, folder: str, name: str) -> str:
        """The name under its folder; one that is taken gets a number before its ending."""
        parts = [part for part in name.replace("\\", "/").split("/") if part not in _NOWHERE]
        safe = "/".join([folder, *parts])
        stem, dot, ending = safe.rpartition(".")
        number, free = 1, safe
        while self._hash(free) in self._taken:
            number += 1
            free = f"{stem}-{number}{dot}{ending}"
        self._taken.add(self._hash(free))
        return free

    def _hash(self, name: str) -> int:
        # Names of a million images would fill the memory; case matters on no disk of Windows.
        digest = blake2b(name.casefold().encode(), digest_size=8).digest()
        return int.from_bytes(digest, "little")


def titles_of(record: Record) -> dict[str, str]:
    """Label key → title, in the template's order; at the end those of other versions of it."""
    titles = {label["key"]: label["title"] for label in record.template.get("labels", [])}
    used = {each["label"] for given in record.judgements for each in given.judgement["regions"]}
    return titles | {key: key for key in sorted(used - titles.keys())}


def said_of(region: Json) -> Json:
    """What was said of a region beside its label and shape."""
    said = {name: region[name] for name in ("certainty", "laterality") if name in region}
    return {**region.get("attributes", {}), **said}


def key_of(title: str) -> str:
    """A label's key from its name in another format: “Left lung” becomes `left_lung`."""
    key = _NOT_IN_KEYS.sub("_", title.lower()).strip("_")
    return (key if key[:1].isalpha() else f"k_{key}".rstrip("_"))[:40]


def sides(box: Iterable[float]) -> list[float | int]:
    """A box with the two decimals that we keep."""
    return [rounded(side) for side in box]


def item_line(
    external_id: str,
    payload: Json,
    regions: list[Json],
    *,
    model: str,
    gold: bool = False,
) -> Json:
    """An item with the regions it came with, as a pre-label of `model` or as gold."""
    row: Json = {"external_id": external_id, "payload": payload}
    if not regions and not gold:
        return row
    judgement: dict[str, Any] = {"regions": regions}
    if gold:
        return {**row, "gold": {"judgement": judgement}}
    return {**row, "prelabels": [{"model": model, "version": "", "payload": judgement}]}
