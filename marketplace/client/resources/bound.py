"""Jobs, imports and exports that can be called on."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypedDict, Unpack

from marketplace.client.engine import Call, Engine, One, to
from marketplace.client.operations import (
    Async,
    M,
    Resource,
    Sync,
    operation,
    pages,
    steps,
    stream,
)
from marketplace.client.receiving import Progress
from marketplace.client.records import Json
from marketplace.client.resources.delivery import Events, Exports, giving_export, to_export
from marketplace.client.resources.items import Imports, Items, giving_import
from marketplace.client.resources.jobs import JobCall, Jobs, Plan, Until, giving_job, to_job
from marketplace.client.sending import ItemsReport, Source
from marketplace.client.sending import Progress as Sent
from marketplace.client.shapes import delivery as delivered
from marketplace.client.shapes import items as sent
from marketplace.client.shapes import jobs as shapes
from marketplace.client.shapes.quality import Quality
from marketplace.client.shapes.review import JobSubmission


class Patience(TypedDict, total=False):
    """How long to wait, in seconds (None for ever), and who is told how far it is."""

    timeout: float | None
    progress: Callable[[int, int], object] | None


class Job(shapes.Job, Resource[M]):
    """A job as it was when it was read; `refresh` reads it anew."""

    def __init__(self, engine: Engine, raw: Json) -> None:
        shapes.Job.__init__(self, raw)
        self._engine = engine

    @operation("GET /jobs/{id}")
    def refresh(self) -> JobCall:
        """The job as it is now."""
        return to_job()

    @operation("PATCH /jobs/{id}")
    def update(self, **fields: Unpack[shapes.JobChange]) -> JobCall:
        """Change what is given."""
        return to_job(json=fields)

    @operation("POST /jobs/{id}/quote")
    def plan(self) -> One[Plan]:
        """What it would cost now, how long it would take, and who is there to do it."""
        return to(Plan)

    @operation("POST /jobs/{id}/publish")
    def publish(self) -> JobCall:
        """Reserve the money and open it. Raises InsufficientFunds."""
        return to_job()

    @operation("POST /jobs/{id}/pause")
    def pause(self) -> JobCall:
        """Hand out no more tasks."""
        return to_job()

    @operation("POST /jobs/{id}/resume")
    def resume(self) -> JobCall:
        """Hand out tasks again."""
        return to_job()

    @operation("POST /jobs/{id}/close")
    def close(self) -> JobCall:
        """End it; what was reserved and not spent returns."""
        return to_job()

    @operation("GET /jobs/{id}/progress")
    def progress(self) -> One[shapes.Progress]:
        """How far it is."""
        return to(shapes.Progress)

    @operation("GET /jobs/{id}/quality")
    def quality(self) -> One[Quality]:
        """Agreement, authors, and what confidence cost."""
        return to(Quality)

    @pages("GET /jobs/{id}/submissions")
    def submissions(self) -> One[JobSubmission]:
        """All that came back, in order of coming."""
        return to(JobSubmission)

    @steps
    async def add_items(self, source: Source, *, progress: Sent | None = None) -> ItemsReport:
        """Send items; see `client.items.add`."""
        items: Items[Any] = Items(self._engine)
        report: ItemsReport = await Items.add.function(items, self.id, source, progress=progress)
        return report

    @giving_import
    async def add_file(self, /, file: str | os.PathLike[str], **more: Any) -> Any:
        """Send a file to be read in the background; see `client.imports.create`."""
        return await Imports.create.function(Imports(self._engine), self.id, file, **more)

    @giving_job
    async def wait(self, until: Until = "completed", **more: Unpack[Patience]) -> Any:
        """Wait until all tasks are final; see `client.jobs.wait`."""
        return await Jobs.wait.function(Jobs(self._engine), self.id, until, **more)

    @giving_export
    async def export(
        self,
        /,
        format: str = "raw",
        policy: str = "majority",
        *,
        to: str | os.PathLike[str] | None = None,
        timeout: float | None = 3600,
        **more: Any,
    ) -> Any:
        """Ask for an export, wait until it is written, and bring it to a path where one is given.

        more: see `client.exports.create`.
        """
        call = Exports.create.function(self, self.id, format, policy, **more)
        made = await self._engine.run("POST", f"/jobs/{self.id}/exports", call)
        exports: Exports[Any] = Exports(self._engine)
        done = await Exports.wait.function(exports, made.id, timeout=timeout)
        if to is not None:
            await Exports.download.function(exports, made.id, to)
        return done

    @stream
    def events(self, after: int | None = None) -> AsyncIterator[delivered.Event]:
        """What happens to this job, as it comes; see `client.events.tail`."""
        return Events.tail.function(Events(self._engine), after, job_id=self.id)


class Export(delivered.Export, Resource[M]):
    """An export as it was when it was read."""

    def __init__(self, engine: Engine, raw: Json) -> None:
        delivered.Export.__init__(self, raw)
        self._engine = engine

    @operation("GET /exports/{id}")
    def refresh(self) -> Call[Export[Sync], Export[Async]]:
        """The export as it is now."""
        return to_export()

    @giving_export
    async def wait(self, **more: Unpack[Patience]) -> Any:
        """Wait until the file is there; see `client.exports.wait`."""
        return await Exports.wait.function(Exports(self._engine), self.id, **more)

    @steps
    async def download(
        self,
        to: str | os.PathLike[str] = ".",
        *,
        proof: bool = False,
        progress: Progress | None = None,
    ) -> Path:
        """Bring the finished file to a path, or into a folder; see `client.exports.download`."""
        exports: Exports[Any] = Exports(self._engine)
        place: Path = await Exports.download.function(
            exports, self.id, to, proof=proof, progress=progress
        )
        return place


class Import(sent.Import, Resource[M]):
    """An import as it was when it was read."""

    def __init__(self, engine: Engine, raw: Json) -> None:
        sent.Import.__init__(self, raw)
        self._engine = engine

    @giving_import
    async def wait(self, **more: Unpack[Patience]) -> Any:
        """Wait until it is read; see `client.imports.wait`."""
        imports: Imports[Any] = Imports(self._engine)
        return await Imports.wait.function(imports, self.id, **more)
