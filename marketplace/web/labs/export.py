"""One export: watching it being written, what is in it and what is not, and taking it away."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from flask import Blueprint, flash, url_for
from markupsafe import Markup
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace import storage
from marketplace.db import transaction
from marketplace.delivery import queries, service
from marketplace.delivery.models import Export
from marketplace.delivery.rules import NEXT, ExportState, in_one_go, mimetype
from marketplace.delivery.rules.bundle import formats_of
from marketplace.delivery.rules.exports import DeliveryState
from marketplace.delivery.rules.reasons import reason_words
from marketplace.errors import Conflict
from marketplace.identity.rules import Permission
from marketplace.ids import ExportId
from marketplace.jobs import queries as jobs
from marketplace.tasktypes import task_type
from marketplace.web import plots
from marketplace.web.fragments import page_or_block
from marketplace.web.guards import me, needs
from marketplace.web.labs import shown
from marketplace.web.labs.exports import POLICIES
from marketplace.web.labs.file_heads import Head, head_of
from marketplace.web.ranges import download as downloaded

export_page = Blueprint("lab_export", __name__, url_prefix="/lab")
POLICY_WORDS = {key: words.lower() for key, words, _ in POLICIES}
GOING = frozenset({ExportState.QUEUED, ExportState.RUNNING})
SENDING = frozenset({DeliveryState.WAITING, DeliveryState.SENDING})


@export_page.get("/exports/<uuid:export_id>")
@needs(Permission.JOBS_VIEW)
def show(export_id: UUID) -> str:
    """One file: its progress, then its counts, its card, its hash and its first rows."""
    with transaction() as session:
        export = queries.export_of(session, me(), ExportId(export_id))
        job = jobs.job_of(session, me(), export.job_id)
        facts = shown.job_facts(job, "exports") | {
            "so_far": queries.progress_of(session, export),
            "former": queries.export_of(session, me(), export.since_id)
            if export.since_id
            else None,
            "card": queries.card_of(session, me(), export.id) if _is_written(export) else "",
        }
    exporter = formats_of(task_type(job.task_type))[export.format]
    done = export.state is ExportState.DONE
    return page_or_block(
        "labs/export.html",
        "export_progress",
        target="export-progress",
        export=export,
        exporter=exporter,
        policy_words=POLICY_WORDS.get(export.policy, export.policy),
        ended=export.state not in GOING and not (done and export.delivery_state in SENDING),
        written=_is_written(export),
        again=ExportState.QUEUED in NEXT[export.state],
        increments=done and not in_one_go(exporter),
        head=_head(export) if done else Head(),
        became=_became(export),
        reason_words=reason_words,
        **(facts | {"card": _body(facts["card"])}),
    )


def _is_written(export: Export) -> bool:
    return export.state in {ExportState.DONE, ExportState.EXPIRED}


def _head(export: Export) -> Head:
    return head_of(export.reference, export.filename, export.bytes or 0)


def _body(card: str) -> str:
    """A card without the lines at its head that only machines read."""
    _, _, rest = card.partition("---\n")
    return rest.partition("---\n")[2] if card.startswith("---\n") else card


def _became(export: Export) -> Markup | None:
    """What became of what was read, as a bar; nothing where all of it was kept."""
    counts: dict[str, Any] = export.counts or {}
    dropped: dict[str, int] = counts.get("dropped", {})
    if not dropped:
        return None
    parts = [("kept", float(counts.get("kept", 0)))]
    parts += [(reason_words(reason), float(number)) for reason, number in dropped.items()]
    return plots.share("What became of what was read", parts)


def _finished(export_id: UUID) -> Export:
    """The viewer's export, whose file is there; Conflict where it is not."""
    with transaction() as session:
        export = queries.export_of(session, me(), ExportId(export_id))
    if export.state is not ExportState.DONE or export.bytes is None or export.sha256 is None:
        raise Conflict(f"This export is {export.state.value}; its file is not there.")
    return export


@export_page.get("/exports/<uuid:export_id>/file")
@needs(Permission.EXPORTS_CREATE)
def download(export_id: UUID) -> Response:
    """The finished file."""
    export = _finished(export_id)
    kept = storage.current()
    return downloaded(
        lambda offset: kept.open(export.reference, offset=offset),
        size=export.bytes or 0,
        sha256=export.sha256 or "",
        mimetype=mimetype(export.filename),
        filename=export.filename,
    )


@export_page.get("/exports/<uuid:export_id>/card")
@needs(Permission.JOBS_VIEW)
def card(export_id: UUID) -> Response:
    """The card as a file, with what the Hub reads at its head."""
    with transaction() as session:
        text = queries.card_of(session, me(), ExportId(export_id))
    return _attached(text.encode(), "text/markdown; charset=utf-8", "README.md")


@export_page.get("/exports/<uuid:export_id>/manifest")
@needs(Permission.JOBS_VIEW)
def manifest(export_id: UUID) -> Response:
    """Every count and hash of a finished file."""
    with transaction() as session:
        export = queries.export_of(session, me(), ExportId(export_id))
    if export.manifest is None:
        raise Conflict(f"This export is {export.state.value}; its manifest is not there yet.")
    text = orjson.dumps(export.manifest, option=orjson.OPT_INDENT_2)
    return _attached(text, "application/json", f"{export.filename}.manifest.json")


def _attached(held: bytes, media: str, name: str) -> Response:
    answer = Response(held, content_type=media)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@export_page.post("/exports/<uuid:export_id>/again")
@needs(Permission.EXPORTS_CREATE)
def again(export_id: UUID) -> Response:
    """Write a file once more that failed or expired."""
    with transaction() as session:
        service.write_again(session, me(), ExportId(export_id))
    flash("The file is being written again. It holds what it would have held then.", "good")
    return redirect(url_for("lab_export.show", export_id=export_id), code=303)


@export_page.post("/exports/<uuid:export_id>/deliver-again")
@needs(Permission.EXPORTS_CREATE)
def deliver_again(export_id: UUID) -> Response:
    """Put a finished file into the lab's bucket once more."""
    with transaction() as session:
        service.deliver_again(session, me(), ExportId(export_id))
    flash("The file is on its way to your bucket again.", "good")
    return redirect(url_for("lab_export.show", export_id=export_id), code=303)
