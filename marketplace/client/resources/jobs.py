"""Jobs: what a lab posts, what it would cost, how far it is, and waiting for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Concatenate, TypeAlias, Unpack

from marketplace.client.engine import Call, Engine, One, to, to_bytes, to_nothing
from marketplace.client.errors import Failed
from marketplace.client.operations import Async, M, P, Resource, Steps, Sync, operation, pages
from marketplace.client.records import AnyId, AnyMoney, Json
from marketplace.client.shapes import billing as paid
from marketplace.client.shapes import items as sent
from marketplace.client.shapes import jobs as shapes
from marketplace.client.shapes.quality import Quality
from marketplace.client.shapes.review import JobSubmission
from marketplace.client.shapes.work import Eligibility
from marketplace.client.waiting import Waited, awaited

if TYPE_CHECKING:
    from marketplace.client.resources.bound import Job

JobCall: TypeAlias = "Call[Job[Sync], Job[Async]]"
Seen: TypeAlias = Callable[[Json, Json], bool]
Until: TypeAlias = "str | Callable[[Job[Any], shapes.Progress], bool]"
ENDED = "closed"


class JobFields(shapes.JobChange, total=False):
    """All that a new job may say; a title and a task type it must, here or in a mapping."""

    task_type: str


class Plan(shapes.Quote):
    """What a job would cost, how long it would take, and who is there to do it.

    price: all that is reserved, with our fee; eligible_is_coarse: fewer than five people fit, and
    how many is not said.
    """

    @property
    def time_to_fill(self) -> tuple[timedelta | None, timedelta | None]:
        """The time until all answers are in: even chances (p50), and nine in ten (p90)."""
        told = self.raw["time_to_fill_seconds"] or {}
        both = (told.get("p50"), told.get("p90"))
        half, most = (None if one is None else timedelta(seconds=one) for one in both)
        return half, most

    def __str__(self) -> str:
        people = "fewer than five" if self.eligible_is_coarse else str(self.eligible_specialists)
        half, most = self.time_to_fill
        when = "when is not known yet" if half is None else f"filled in {half}, at most {most}"
        return (
            f"{self.tasks} tasks, at most {self.price}, {people} specialists eligible now, {when}."
        )


def _completed(_: Json, progress: Json) -> bool:
    return bool(progress["tasks"]) and progress["final"] >= progress["tasks"]


def _filled(_: Json, progress: Json) -> bool:
    return bool(progress["tasks"]) and progress["filled"] + progress["final"] >= progress["tasks"]


UNTIL: Mapping[str, Seen] = {
    "completed": _completed,
    "filled": _filled,
    **{
        state: lambda job, _progress, state=state: job["state"] == state  # type: ignore[misc]
        for state in ("draft", "open", "paused", ENDED)
    },
}


def to_job(**more: Any) -> JobCall:
    """A call that is answered with a job, which can be called on."""
    return Call(_job, **more)


def _job(engine: Engine, found: Json) -> Any:
    from marketplace.client.resources.bound import Job  # noqa: PLC0415 - they know each other.

    return Job(engine, found)


def giving_job(
    function: Callable[Concatenate[Any, P], Awaitable[Any]],
) -> Steps[P, Job[Sync], Job[Async]]:
    """Several calls, one job that can be called on."""
    return Steps(function)


class Jobs(Resource[M]):
    """`client.jobs`."""

    @operation("POST /jobs")
    def create(
        self, job: Mapping[str, Any] | None = None, /, **fields: Unpack[JobFields]
    ) -> JobCall:
        """Make a draft: of a mapping, of keywords, or of a mapping with keywords over it."""
        return to_job(json={**(job or {}), **fields})

    @pages("GET /jobs")
    def list(self) -> JobCall:
        """All jobs, newest first."""
        return to_job()

    @operation("GET /jobs/{job_id}")
    def get(self, job_id: AnyId) -> JobCall:
        """One job."""
        return to_job()

    @operation("PATCH /jobs/{job_id}")
    def update(
        self,
        job_id: AnyId,
        change: Mapping[str, Any] | None = None,
        /,
        **fields: Unpack[shapes.JobChange],
    ) -> JobCall:
        """Change a draft, or what may change while a job runs."""
        return to_job(json={**(change or {}), **fields})

    @operation("POST /jobs/{job_id}/quote")
    def quote(self, job_id: AnyId) -> One[Plan]:
        """What it would cost now, and how long it would take."""
        return to(Plan)

    plan = quote

    @operation("POST /jobs/{job_id}/publish")
    def publish(self, job_id: AnyId) -> JobCall:
        """Reserve the money and open it. Raises InsufficientFunds."""
        return to_job()

    @operation("POST /jobs/{job_id}/pause")
    def pause(self, job_id: AnyId) -> JobCall:
        """Hand out no more tasks."""
        return to_job()

    @operation("POST /jobs/{job_id}/resume")
    def resume(self, job_id: AnyId) -> JobCall:
        """Hand out tasks again."""
        return to_job()

    @operation("POST /jobs/{job_id}/close")
    def close(self, job_id: AnyId) -> JobCall:
        """End it; what was reserved and not spent returns."""
        return to_job()

    @operation("GET /jobs/{job_id}/progress")
    def progress(self, job_id: AnyId) -> One[shapes.Progress]:
        """How far it is."""
        return to(shapes.Progress)

    @operation("GET /jobs/{job_id}/quality")
    def quality(self, job_id: AnyId) -> One[Quality]:
        """Agreement, authors, and what confidence cost."""
        return to(Quality)

    @pages("GET /jobs/{job_id}/submissions")
    def submissions(self, job_id: AnyId) -> One[JobSubmission]:
        """All that came back, in order of coming."""
        return to(JobSubmission)

    @operation("GET /jobs/{job_id}/eligibility")
    def eligibility(self, job_id: AnyId) -> One[Eligibility]:
        """For a specialist: whether the job is for them, and why not."""
        return to(Eligibility)

    @operation("GET /jobs/{job_id}/budget")
    def budget(self, job_id: AnyId) -> One[paid.Budget]:
        """The most that the job may spend, and what it has spent."""
        return to(paid.Budget)

    @operation("PUT /jobs/{job_id}/budget")
    def set_budget(self, job_id: AnyId, budget: AnyMoney | None) -> One[None]:
        """Set the most that the job may spend; None lifts it."""
        return to_nothing(json={"budget": budget})

    @pages("GET /jobs/{job_id}/versions")
    def versions(self, job_id: AnyId) -> One[shapes.Version]:
        """The versions of its template and instructions, newest first."""
        return to(shapes.Version)

    @operation("POST /jobs/{job_id}/versions")
    def new_version(
        self, job_id: AnyId, **fields: Unpack[shapes.NewVersion]
    ) -> One[shapes.Version]:
        """Change the template or the instructions of a running job."""
        return to(shapes.Version, json=fields)

    @operation("POST /jobs/{job_id}/versions/quote")
    def quote_version(self, job_id: AnyId, pay: AnyMoney | None = None) -> One[shapes.Again]:
        """What it would cost now to ask judged tasks again."""
        return to(shapes.Again, json={"pay": pay} if pay else {})

    @operation("GET /jobs/{job_id}/scan")
    def scan(self, job_id: AnyId) -> One[sent.Scan]:
        """What the scan for personal details found in its items."""
        return to(sent.Scan)

    @operation("POST /jobs/{job_id}/scan/declaration")
    def declare(self, job_id: AnyId, declaration: str) -> One[sent.Scan]:
        """Say of what was found: none, deidentified or permitted."""
        return to(sent.Scan, json={"declaration": declaration})

    @operation("GET /jobs/{job_id}/label-studio-config")
    def label_studio_config(self, job_id: AnyId) -> One[bytes]:
        """The labelling configuration of a Label Studio project that shows its export, as XML."""
        return to_bytes()

    @giving_job
    async def wait(
        self,
        job_id: AnyId,
        until: Until = "completed",
        *,
        timeout: float | None = None,
        progress: Callable[[int, int], object] | None = None,
    ) -> Any:
        """Wait until all tasks have their final judgements, and return the job.

        until: completed, filled (all judgements are in), a state (open, paused, closed), or a
        function of the job and its progress; timeout: seconds, None for ever; progress: told the
        final and all tasks. Looks when an event of the job comes, not over and over. Raises
        TimedOut, and Failed when the job was closed before.
        """

        def is_reached(found: Job[Any], far: shapes.Progress) -> bool:
            return until(found, far) if callable(until) else UNTIL[until](found.raw, far.raw)

        async def look() -> Waited:
            found = await self._engine.run("GET", f"/jobs/{job_id}", to_job())
            far = await self._engine.run("GET", f"/jobs/{job_id}/progress", to(shapes.Progress))
            if progress is not None:
                progress(far.raw["final"], far.raw["tasks"])
            if is_reached(found, far):
                return Waited(found, True)
            if found.raw["state"] == ENDED and until != ENDED:
                words = f"The job was closed with {far.final} of {far.tasks} tasks final."
                raise Failed(words, found)
            return Waited(found, False)

        return await awaited(self._engine, look, job_id=job_id, timeout=timeout)
