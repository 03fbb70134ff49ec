"""Ready jobs for physicians, lawyers and coders: one YAML file each, in the folder `ready`.

A file holds a key, a summary, the job as its document says it (the body of `POST /jobs`), and
example items in the shape of one line of an import; none where an item is an image of the lab's.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from marketplace.errors import Missing
from marketplace.tasktypes import Json

FOLDER = Path(__file__).parent / "ready"


@dataclass(frozen=True, slots=True)
class ReadyJob:
    """A job that a lab may start from. document: of the job; items: examples, as an import reads
    them."""

    key: str
    summary: str
    document: Json
    items: tuple[Json, ...]

    @property
    def title(self) -> str:
        return str(self.document["title"])

    @property
    def task_type(self) -> str:
        return str(self.document["task_type"])

    @property
    def profession(self) -> str:
        return str(self.document["requirements"]["profession"])

    @property
    def expected_seconds(self) -> int:
        return int(self.document["expected_seconds"])


@functools.cache
def ready_jobs() -> Sequence[ReadyJob]:
    """All of them, by profession and title."""
    found = (_read(path) for path in FOLDER.glob("*.yaml"))
    return tuple(sorted(found, key=lambda each: (each.profession, each.title)))


def _read(path: Path) -> ReadyJob:
    told: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return ReadyJob(told["key"], told["summary"], told["job"], tuple(told["items"]))


def ready_job(key: str) -> ReadyJob:
    """The one of this key; Missing with the keys there are."""
    for each in ready_jobs():
        if each.key == key:
            return each
    keys = ", ".join(each.key for each in ready_jobs())
    raise Missing(f"There is no ready job “{key[:80]}”. There are {keys}.")
