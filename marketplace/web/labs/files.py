"""From the form of a job to its file and back, without keeping anything and without loss."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.jobs import queries, service
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobFields
from marketplace.tasktypes import Json, task_type
from marketplace.web.forms import form_page
from marketplace.web.guards import me, needs
from marketplace.web.labs import builder, job_file

files = Blueprint("lab_files", __name__, url_prefix="/lab/jobs")
FILE_BYTES_MAX = 1024 * 1024


def _edited() -> Job | None:
    """The stored draft that the page is about, if any; Missing for another organisation's."""
    job_id = parse_id(request.form.get("job_id", ""))
    if job_id is None:
        return None
    with transaction() as session:
        return queries.job_of(session, me(), job_id)


def _builder(kind: str, values: dict[str, Any]) -> str:
    job = _edited()
    return render_template("labs/builder.html", **builder.facts(kind, values, job))


def _builder_again() -> dict[str, Any]:
    kind = task_type(request.form.get("task_type", "")).key
    return builder.facts(kind, builder.typed_values(), _edited())


def _text_facts() -> dict[str, Any]:
    return {
        "text": request.form.get("document", "").replace("\0", ""),
        "job": _edited(),
        "version": request.form.get("version", ""),
    }


def _from_form() -> tuple[str, JobFields]:
    """What the form says, its template as it is: the file shows it, its checks come later."""
    kind = task_type(request.form.get("task_type", "")).key
    return kind, builder.job_fields(kind, checked=False)


def _page(text: str, status: int = 200) -> Response:
    """A page; without its type, browsers show its source."""
    return Response(text, status, mimetype="text/html")


@files.post("/as-text")
@needs(Permission.JOBS_EDIT)
@form_page("labs/builder.html", _builder_again)
def as_text() -> Response:
    """The form as a file, to go on with there."""
    with builder.in_form_words():
        text = job_file.written(*job_file.sketched(*_from_form()))
    return _page(render_template("labs/job_text.html", **_text_facts() | {"text": text}))


@files.post("/as-form")
@needs(Permission.JOBS_EDIT)
@form_page("labs/job_text.html", _text_facts)
def as_form() -> Response:
    """The file as a form, to go on with there."""
    kind, fields = job_file.read(request.form.get("document", ""))
    edited = _edited()
    if edited is not None and edited.task_type != kind:
        words = f"/task_type: This draft is a {edited.task_type}. Start a new job for another type."
        raise Faulty("The task type does not fit.", [Fault(job_file.FIELD, words)])
    return _page(_builder(kind, _values(*job_file.sketched(kind, fields))))


def _values(job: Job, template: Json) -> dict[str, Any]:
    values = builder.values_of(job, template)
    version = request.form.get("version", "")
    return values | ({"version": version} if version else {})


@files.post("/from-text")
@needs(Permission.JOBS_EDIT)
@form_page("labs/job_text.html", _text_facts)
def keep() -> Response:
    """Keep the draft that the file describes."""
    kind, fields = job_file.read(request.form.get("document", ""))
    edited = _edited()
    try:
        with transaction() as session:
            if edited is None:
                job = service.create_job(session, me(), task_type=kind, **fields)
            else:
                fields.pop("purpose", None)  # It is changed on a page of its own.
                job = service.change_job(
                    session, me(), edited.id, if_version=builder.seen_version(), **fields
                )
    except Faulty as faulty:
        raise job_file.at_the_text(faulty) from None
    flash("The draft is kept. Nobody sees the job yet.", "good")
    where = "lab_items.show" if edited is None else "lab_overview.show"
    return redirect(url_for(where, job_id=job.id), code=303)


@files.post("/file")
@needs(Permission.JOBS_EDIT)
@form_page("labs/builder.html", _builder_again)
def download_form() -> Response:
    """The form as a file, to keep elsewhere."""
    with builder.in_form_words():
        job, template = job_file.sketched(*_from_form())
    return _file(job, template)


@files.get("/<uuid:job_id>/job.yaml")
@needs(Permission.JOBS_VIEW)
def download(job_id: UUID) -> Response:
    """A stored job as a file, which posts another one like it."""
    with transaction() as session:
        job = queries.job_of(session, me(), job_id)
        template = queries.template_version(session, me(), job_id).template
    return _file(job, template)


def _file(job: Job, template: Json) -> Response:
    name = re.sub(r"[^a-z0-9]+", "-", job.title.lower()).strip("-")[:60] or "job"
    answer = Response(job_file.written(job, template), mimetype="application/yaml")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.yaml"'
    return answer


def _opening() -> dict[str, Any]:
    return {"text": "", "job": None, "version": ""}


@files.get("/from-file")
@needs(Permission.JOBS_EDIT)
def open_file() -> str:
    """Write a job as a file, or open one."""
    return render_template("labs/job_text.html", **_opening())


@files.post("/from-file")
@needs(Permission.JOBS_EDIT)
@form_page("labs/job_text.html", _opening)
def take_file() -> Response:
    """Open a file in the form; one with faults is shown as it is, with them."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Faulty("There is no file.", [Fault("/file", "Choose a YAML or JSON file first.")])
    content = sent.stream.read(FILE_BYTES_MAX + 1)
    if len(content) > FILE_BYTES_MAX:
        raise Faulty("The file is too large.", [Fault("/file", "A job is at most 1 MiB.")])
    try:
        text = content.decode("utf-8-sig").replace("\0", "")
    except UnicodeDecodeError:
        words = "This is not text in UTF-8. Save it as UTF-8, then send it again."
        raise Faulty("The file cannot be read.", [Fault("/file", words)]) from None
    try:
        kind, fields = job_file.read(text)
    except Faulty as faulty:
        return _shown_with(text, faulty)
    return _page(_builder(kind, _values(*job_file.sketched(kind, fields))))


def _shown_with(text: str, faulty: Faulty) -> Response:
    errors = {"document": " ".join(one.message for one in faulty.faults)}
    page = render_template("labs/job_text.html", **_opening() | {"text": text, "errors": errors})
    return _page(page, 422)
