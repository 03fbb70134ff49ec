"""A task as specialists will see it, to read only: the workbench's own template, without its frame.

It shows one of the lab's own first rows, or an example of the type where there are none yet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from markupsafe import Markup
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.db import transaction
from marketplace.errors import Fault
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.jobs import queries
from marketplace.jobs.models import Job
from marketplace.jobs.rules.gallery import ready_jobs
from marketplace.money import zero
from marketplace.tasktypes import Json, TaskType, task_type
from marketplace.web.fragments import page_or_block
from marketplace.web.guards import me, needs
from marketplace.web.labs import template_form

preview = Blueprint("lab_preview", __name__, url_prefix="/lab/jobs")
ROWS_SHOWN = 5
LEASE_SECONDS = 1_800


@dataclass(frozen=True, slots=True)
class Row:
    """One row that a preview may show. said: what models said of it."""

    name: str
    payload: Json
    said: list[Json]


@dataclass(frozen=True, slots=True)
class Shown:
    """A preview. row: from 0; own: whether the rows are the lab's; faults: of the template,
    misfits: of the item; form, url: where the buttons for other rows lead."""

    row: int
    count: int
    name: str
    own: bool
    faults: list[Fault]
    misfits: list[Fault]
    bench: Markup
    form: str
    url: str


def own_rows(session: Session, job: Job) -> list[Row]:
    """The first rows of a stored job, as specialists get them."""
    found = []
    for each in queries.items_of(session, me(), job.id, limit=ROWS_SHOWN):
        said = [
            {"model": s.model, "version": s.version, "confidence": s.confidence}
            | {"payload": s.payload}
            for s in each.prelabels
        ]
        payload = queries.with_image(session, job, each.item.payload)
        found.append(Row(each.item.external_id, payload, said))
    return found


def example_rows(kind: str) -> list[Row]:
    """Rows of the gallery for a type of which no items are in yet."""
    return [
        Row(str(item["external_id"]), item["payload"], list(item.get("prelabels", [])))
        for ready in ready_jobs()
        if ready.task_type == kind
        for item in ready.items
    ][:ROWS_SHOWN]


def shown(kind: str, template: Json, faults: list[Fault], rows: list[Row], *, own: bool) -> Shown:
    """The preview of the row that the request asks for."""
    of = task_type(kind)
    at = request.values.get("row", 0, type=int) % max(1, len(rows))
    row = rows[at] if rows else Row("", {}, [])
    wrong = faults or of.check_template(template)
    misfits = of.check_item(template, row.payload) if rows and not wrong else []
    bench = Markup()
    if rows and not wrong and not misfits:
        bench = _bench(of, template, row)
    url = url_for("lab_preview.task")
    return Shown(at, len(rows), row.name, own, wrong, misfits, bench, "builder", url)


def _job_id() -> UUID | None:
    """The stored job that the page is about, by its form or its address."""
    named = (request.view_args or {}).get("job_id") or request.form.get("job_id", "")
    return parse_id(str(named))


def _bench(of: TaskType, template: Json, row: Row) -> Markup:
    payload = {name: part for name, part in row.payload.items() if name != "metadata"}
    seen = of.with_prelabels(template, payload, row.said)
    first = of.to_form(of.first_answer(template, seen))
    page = render_template(
        f"workbench/{of.key}.html",
        **_facts(of, template, seen, first),
        layout="labs/bench_layout.html",
    )
    return Markup(page)  # noqa: S704 - our own template, which has escaped what stands in it.


def _facts(
    of: TaskType, template: Json, payload: Json, values: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "claim": {
            "id": "preview",
            "fence": 0,
            "expires_at": clock.now() + timedelta(seconds=LEASE_SECONDS),
            "lease_seconds": LEASE_SECONDS,
            "pay": zero("USD"),
            "presented_order": of.slots(payload),
            "counted_seconds": 0,
        },
        "job": {"title": "", "task_type": of.key, "instructions_html": "", "ai_policy": "free"},
        "task": {"id": "preview", "payload": payload, "template": template},
        "draft": None,
        "values": dict(values),
        "first": dict(values),
        "errors": [],
        # Images are found beside the address of the draft.
        "urls": dict.fromkeys(("heartbeat", "submit", "release", "outcome", "leave"), "#")
        | {"draft": f"{url_for('lab_jobs.listing')}/{_job_id() or 'none'}/draft"},
    }


@preview.post("/preview-task")
@needs(Permission.JOBS_EDIT)
def task() -> str:
    """The task that the form describes now."""
    kind = task_type(request.form.get("task_type", "")).key
    template, faults = template_form.read(kind, request.form)
    job_id = _job_id()
    rows: list[Row] = []
    if job_id is not None:
        with transaction() as session:
            rows = own_rows(session, queries.job_of(session, me(), job_id))
    found = shown(kind, template, faults, rows or example_rows(kind), own=bool(rows))
    return page_or_block(
        "labs/task_preview.html", "task_preview", target="task-preview", shown=found
    )


def stored(session: Session, job: Job) -> dict[str, Any]:
    """What a page needs to show a stored job's task beside other things."""
    template = queries.template_version(session, me(), job.id).template
    rows = own_rows(session, job)
    found = shown(job.task_type, template, [], rows or example_rows(job.task_type), own=bool(rows))
    return {"shown": found, "template_text": json.dumps(template, ensure_ascii=False)}
