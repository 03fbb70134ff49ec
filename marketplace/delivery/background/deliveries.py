"""Putting finished files into the lab's own bucket, part by part."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from marketplace import outbox, storage
from marketplace.db import transaction
from marketplace.delivery import service
from marketplace.delivery.gateway import buckets
from marketplace.delivery.gateway.buckets import Destination, UploadLost
from marketplace.delivery.models import Export
from marketplace.delivery.service.deliveries import DELIVER
from marketplace.errors import Faulty, GatewayError, Missing
from marketplace.ids import ExportId
from marketplace.jobs.models import JobBucket
from marketplace.storage import StorageFailed

TIME_LIMIT_SECONDS = 600
# After this long the work is put back, so that no large file holds a worker until its limit.
TURN_SECONDS = 240
# A bucket that does not answer so often, with growing pauses, is told to the lab.
TRIES_MAX = 8
MANIFEST = "manifest.json"


class TurnOver(Exception):
    """The rest of a file is left to the next turn."""


@outbox.background(DELIVER, time_limit_seconds=TIME_LIMIT_SECONDS)
def deliver_export(work: outbox.Work, export_id: str) -> None:
    """Put an export's files into the lab's bucket, the manifest last, and look whether they are
    there. Safe to cut short anywhere: parts that the store has are not sent again."""
    identity = ExportId(UUID(export_id))
    with transaction() as session:
        found = service.begin_delivery(session, identity)
    failure, over = None, False
    if found is not None:
        try:
            _Delivery(*found).run()
        except TurnOver:
            over = True
        except (Faulty, Missing) as refused:
            failure = refused.message
        except GatewayError as away:
            if work.attempt < TRIES_MAX:
                raise
            failure = str(away)
    with transaction() as session:
        if over:
            outbox.enqueue(session, work.name, **work.arguments)
        elif found is not None:
            service.end_delivery(session, identity, failure)
        outbox.done(session, work)


class _Delivery:
    """One export on its way; `upload` says how far each of its files is."""

    def __init__(self, export: Export, key: JobBucket | None) -> None:
        self._export = export
        self._to: Destination = buckets.destination(export.deliver_to or "", key)
        self._upload: dict[str, Any] = dict(export.upload or {"done": []})
        self._ends = time.monotonic() + TURN_SECONDS

    def run(self) -> None:
        """Send what is not there yet."""
        manifest: Mapping[str, Any] = self._export.manifest or {"files": []}
        for file in manifest["files"]:
            if file["name"] not in self._upload["done"]:
                self._send(self._folder() + file["name"], file["name"], file["bytes"])
        told = orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
        self._to.put(self._folder() + MANIFEST, told + b"\n")

    def _folder(self) -> str:
        """Below the address each export has a folder of its own, so that none replaces another."""
        return f"{self._export.filename.partition('.')[0]}-as-of-{self._export.as_of_event}/"

    def _send(self, place: str, name: str, size: int) -> None:
        reference = f"exports/{self._export.id}/{name}"
        if size <= buckets.PART_BYTES:
            with storage.current().open(reference) as source:
                self._to.put(place, source.read())
        else:
            self._in_parts(place, name, reference)
        there = self._to.size(place)
        if there != size:
            raise StorageFailed(f"The bucket holds {there:,} bytes of {name} in place of {size:,}.")
        self._keep({"done": [*self._upload["done"], name]})

    def _in_parts(self, place: str, name: str, reference: str) -> None:
        if self._upload.get("name") != name:
            self._begin(place, name)
        tags: list[str] = self._upload["tags"]
        try:
            with storage.wound(reference, len(tags) * buckets.PART_BYTES) as source:
                while content := source.read(buckets.PART_BYTES):
                    number = len(tags) + 1
                    tag = self._to.put_part(place, self._upload["id"], number, content)
                    tags.append(tag)
                    self._keep(self._upload | {"tags": tags})
                    if time.monotonic() > self._ends:
                        raise TurnOver
            self._to.end(place, self._upload["id"], tags)
        except UploadLost:
            self._keep({"done": self._upload["done"]})
            raise

    def _begin(self, place: str, name: str) -> None:
        upload_id = self._to.begin(place)
        self._keep({"done": self._upload["done"], "name": name, "id": upload_id, "tags": []})

    def _keep(self, upload: Mapping[str, Any]) -> None:
        self._upload = dict(upload)
        with transaction() as session:
            service.keep_upload(session, self._export.id, self._upload)
