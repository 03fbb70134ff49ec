"""The gallery of ready jobs, and Label Studio configurations as the start of a job."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.endpoints.queries import endpoint_names
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.jobs.rules import fields_of
from marketplace.jobs.rules.gallery import ready_job, ready_jobs
from marketplace.tasktypes import TASK_TYPES, Json
from marketplace.tasktypes.label_studio.config import NotAConfiguration, carried
from marketplace.web.forms import form_page
from marketplace.web.guards import me, needs
from marketplace.web.labs import builder, job_file

gallery = Blueprint("lab_gallery", __name__, url_prefix="/lab/jobs")
WORDS = {"medicine": "Physicians", "law": "Lawyers", "software": "Coders"}


@gallery.get("/ready")
@needs(Permission.JOBS_EDIT)
def show() -> str:
    """Ready jobs, by profession and by task type."""
    every = ready_jobs()
    profession, kind = request.args.get("profession", ""), request.args.get("type", "")
    found = [
        each
        for each in every
        if profession in {"", each.profession} and kind in {"", each.task_type}
    ]
    kinds = [(key, TASK_TYPES[key].title) for key in sorted({each.task_type for each in every})]
    return render_template(
        "labs/gallery.html",
        found=found,
        profession=profession,
        kind=kind,
        professions=[("", "Everybody"), *WORDS.items()],
        kinds=[("", "All types"), *kinds],
        titles={key: of.title for key, of in TASK_TYPES.items()},
        people=WORDS,
    )


@gallery.get("/ready/<key>")
@needs(Permission.JOBS_EDIT)
def use(key: str) -> str:
    """The builder, filled from a ready job; nothing is kept yet."""
    kind, fields = fields_of(ready_job(key).document)
    job, template = job_file.sketched(kind, fields)
    with transaction() as session:
        template = with_own_models(template, endpoint_names(session, me()))
    return render_template(
        "labs/builder.html", **builder.facts(kind, builder.values_of(job, template))
    )


def with_own_models(template: Json, names: Sequence[str]) -> Json:
    """A ready template that talks to the lab's own models, in turn; as it is where there are none.

    A lab with one model has it answer twice, which asks for two samples.
    """
    told = template.get("candidates")
    if not told or not names:
        return template
    own = itertools.cycle(names)
    return template | {"candidates": [{**each, "endpoint": next(own)} for each in told]}


def _asked() -> dict[str, Any]:
    return {"config": request.form.get("config", "").replace("\0", ""), "found": None}


@gallery.get("/label-studio")
@needs(Permission.JOBS_EDIT)
def label_studio() -> str:
    """Where a configuration is pasted."""
    return render_template("labs/label_studio.html", **_asked())


@gallery.post("/label-studio")
@needs(Permission.JOBS_EDIT)
@form_page("labs/label_studio.html", _asked)
def read_label_studio() -> Response:
    """What of a configuration becomes a job, and what does not."""
    text = request.form.get("config", "").strip()
    if not text:
        raise Faulty("There is nothing to read.", [Fault("/config", "Paste a configuration.")])
    try:
        found = carried(text)
    except NotAConfiguration as wrong:
        raise Faulty("It cannot be read.", [Fault("/config", str(wrong))]) from None
    text = ""
    if found.task_type:
        job, template = job_file.sketched(
            found.task_type, {"title": "From Label Studio", "template": found.template}
        )
        text = job_file.written(job, template)
    page = render_template(
        "labs/label_studio.html",
        **_asked() | {"found": found, "document": text, "titles": TASK_TYPES},
    )
    return Response(page, mimetype="text/html")
