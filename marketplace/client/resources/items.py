"""Items and images on their way into a job: in requests, from files, from buckets."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, TypeAlias

from marketplace.client.engine import Call, Engine, One, to, to_bytes, to_json
from marketplace.client.errors import Failed
from marketplace.client.operations import (
    Async,
    M,
    P,
    Resource,
    Steps,
    Sync,
    operation,
    pages,
    steps,
)
from marketplace.client.records import AnyId, Json
from marketplace.client.sending import (
    PIECE_BYTES,
    Counted,
    ItemsReport,
    Progress,
    Source,
    opened,
    pieces,
)
from marketplace.client.shapes import items as shapes
from marketplace.client.waiting import Waited, awaited

if TYPE_CHECKING:
    from marketplace.client.resources.bound import Import

ImportCall: TypeAlias = "Call[Import[Sync], Import[Async]]"
UPLOAD_SECONDS = 900.0
NDJSON = {"Content-Type": "application/x-ndjson"}
BINARY = "application/octet-stream"


def to_import(**more: Any) -> ImportCall:
    """A call that is answered with an import, which can be called on."""
    return Call(_import, **more)


def _import(engine: Engine, found: Json) -> Any:
    from marketplace.client.resources.bound import Import  # noqa: PLC0415 - they know each other.

    return Import(engine, found)


def giving_import(
    function: Callable[Concatenate[Any, P], Awaitable[Any]],
) -> Steps[P, Import[Sync], Import[Async]]:
    """Several calls, one import that can be called on."""
    return Steps(function)


class Items(Resource[M]):
    """`client.items`."""

    @steps
    async def add(
        self,
        job_id: AnyId,
        source: Source,
        *,
        progress: Progress | None = None,
        piece_bytes: int = PIECE_BYTES,
    ) -> ItemsReport:
        """Send items, one a line, in pieces; what became of them.

        source: a path to NDJSON (`.gz` too), an open binary file, or anything that gives mappings
        or lines; over an AsyncClient also asynchronously. progress: told the bytes that have
        arrived. Lines that cannot be used never stop the others. Sending all again after a
        failure adds nothing twice: items that are there count as duplicates. An error that breaks
        it off, of the marketplace or of the source, tells how many lines had arrived; those of
        this client carry the report.
        """
        with ItemsReport() as report, opened(source) as lines:
            async for piece, count in pieces(lines, piece_bytes):
                call = to_json(content=piece, headers=NDJSON, timeout_seconds=UPLOAD_SECONDS)
                answer = await self._engine.run("POST", f"/jobs/{job_id}/items", call)
                report.add(answer, count, len(piece))
                if progress is not None:
                    progress(report.bytes_sent)
        return report


class Imports(Resource[M]):
    """`client.imports`: files of any size, read in the background."""

    @giving_import
    async def create(
        self,
        job_id: AnyId,
        file: str | os.PathLike[str],
        *,
        kind: str = "",
        labels: str = "",
        mapping: Mapping[str, str] | None = None,
        hold: bool = False,
        progress: Progress | None = None,
    ) -> Any:
        """Send a file to be read in the background, or to be held until `read`.

        kind: told by the content when ""; labels: prelabels, gold or leave; mapping: column →
        field, of tables; progress: told the bytes that have gone up.
        """
        said = {"kind": kind, "labels": labels, "hold": "true" if hold else ""}
        said["mapping"] = json.dumps(dict(mapping)) if mapping else ""
        with closing(Counted(file, progress)) as content:
            call = to_import(
                form={name: value for name, value in said.items() if value},
                files={"file": (Path(file).name, content, BINARY)},
                timeout_seconds=UPLOAD_SECONDS,
            )
            return await self._engine.run("POST", f"/jobs/{job_id}/imports", call)

    @operation("POST /jobs/{job_id}/imports/bucket")
    def create_from_bucket(self, job_id: AnyId, /, source: str, **more: Any) -> ImportCall:
        """Read s3://bucket/…; more: access, kind, labels, mapping, hold."""
        return to_import(json={"source": source} | _given(more))

    @operation("GET /imports/{import_id}")
    def get(self, import_id: AnyId) -> ImportCall:
        """How far it is."""
        return to_import()

    @operation("GET /imports/{import_id}/look")
    def look(self, import_id: AnyId) -> One[shapes.Look]:
        """How a held import looks: kind, columns, first rows."""
        return to(shapes.Look)

    @operation("POST /imports/{import_id}/read")
    def read(self, import_id: AnyId, /, **wish: Any) -> ImportCall:
        """Read a held import now; wish: kind, labels, mapping."""
        return to_import(json=_given(wish))

    @operation("DELETE /imports/{import_id}")
    def drop(self, import_id: AnyId) -> ImportCall:
        """Give up a held import."""
        return to_import()

    @operation("GET /imports/{import_id}/rejected.jsonl")
    def rejected(self, import_id: AnyId) -> One[bytes]:
        """The rows that could not be used, as NDJSON."""
        return to_bytes()

    @giving_import
    async def wait(
        self,
        import_id: AnyId,
        *,
        timeout: float | None = None,
        progress: Callable[[int, int], object] | None = None,
    ) -> Any:
        """Wait until it is read, and return it. Raises TimedOut and Failed.

        progress: told the bytes that were read, and all.
        """

        async def look() -> Waited:
            found = await self._engine.run("GET", f"/imports/{import_id}", to_import())
            told = found.raw
            if progress is not None:
                progress(told["read_bytes"], told["total_bytes"])
            if told["state"] == "failed":
                raise Failed(told["failure"] or "The import failed.", found)
            return Waited(found, told["state"] not in ("waiting", "running"))

        return await awaited(self._engine, look, job_id=None, timeout=timeout)


class Images(Resource[M]):
    """`client.images`: the images that a job's items name."""

    @steps
    async def add(
        self, job_id: AnyId, file: str | os.PathLike[str], *, progress: Progress | None = None
    ) -> shapes.ImagesTaken:
        """Send an image, or a ZIP of images."""
        with closing(Counted(file, progress)) as content:
            call = to(
                shapes.ImagesTaken,
                files={"file": (Path(file).name, content, BINARY)},
                timeout_seconds=UPLOAD_SECONDS,
            )
            found: shapes.ImagesTaken = await self._engine.run(
                "POST", f"/jobs/{job_id}/images", call
            )
            return found

    @pages("GET /jobs/{job_id}/images")
    def list(self, job_id: AnyId) -> One[shapes.Image]:
        """The images of a job."""
        return to(shapes.Image)


def _given(more: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in more.items() if value}
