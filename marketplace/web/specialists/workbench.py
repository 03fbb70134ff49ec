"""The workbench: one task, its drafts, its lease, handing it in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from marketplace.db import transaction
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import ClaimId, JobId
from marketplace.routing import service as routing
from marketplace.tasktypes import task_type
from marketplace.web.filters import markdown
from marketplace.web.guards import me, needs
from marketplace.work import queries
from marketplace.work import service as work
from marketplace.work.queries import ClaimView
from marketplace.work.rules import (
    DraftMoved,
    Envelope,
    Interval,
    IntervalKind,
    OutcomeKind,
    SubmissionState,
    etag,
)

workbench = Blueprint("workbench", __name__, url_prefix="/work/tasks")


def _urls(claim_id: UUID) -> dict[str, str]:
    names = ("draft", "heartbeat", "submit", "release", "outcome")
    urls = {name: url_for(f"workbench.{name}", claim_id=claim_id) for name in names}
    return urls | {"leave": url_for("specialists.home")}


def _page(view: ClaimView, **more: Any) -> str:
    claim, job = view.claim, view.job
    kind = task_type(job.task_type)
    content: Mapping[str, Any] = view.draft.content if view.draft else {}
    draft = view.draft and {
        "judgement": content.get("judgement"),
        "rationale": content.get("rationale"),
        "confidence": content.get("confidence"),
        "revision": view.draft.revision,
        "saved_at": view.draft.saved_at,
        "etag": view.etag,
        "restored": True,
    }
    facts = {
        "claim": {
            "id": claim.id,
            "fence": claim.fence,
            "expires_at": claim.expires_at,
            "lease_seconds": job.lease_seconds,
            "pay": claim.pay,
            "presented_order": claim.presented_order,
        },
        "job": {
            "title": job.title,
            "task_type": job.task_type,
            "instructions_html": markdown(view.instructions_md),
            "ai_policy": job.ai_policy.value,
        },
        "task": {"id": claim.task_id, "payload": view.payload, "template": view.template},
        "draft": draft,
        "values": kind.to_form(content.get("judgement")) | _beside(content),
        "errors": [],
        "urls": _urls(claim.id),
    }
    return render_template(f"workbench/{job.task_type}.html", **(facts | more))


def _beside(content: Mapping[str, Any]) -> dict[str, str]:
    """The fields that stand beside the judgement, as the form shows them."""
    sources = [str(each.get("citation", "")) for each in content.get("references") or []]
    ai_use = content.get("ai_use") or {}
    return {
        "rationale": content.get("rationale") or "",
        "confidence": str(content.get("confidence") or ""),
        "references": "\n".join(sources),
        "ai_use": str(ai_use.get("tool") or ""),
    }


def _read(view: ClaimView) -> dict[str, Any]:
    """The answer that the form describes; it may be unfinished."""
    form = request.form
    kind = task_type(view.job.task_type)
    sources = [line.strip() for line in form.get("references", "").splitlines() if line.strip()]
    tool = form.get("ai_use", "").strip()
    return {
        "judgement": kind.from_form(form, view.template, view.payload),
        "rationale": form.get("rationale", "").strip() or None,
        "confidence": _share(form.get("confidence", "")),
        "references": [{"type": "citation", "citation": line[:2_000]} for line in sources[:100]],
        "ai_use": {"used": True, "tool": tool[:500]} if tool else {"used": False},
    }


def _share(text: str) -> float | None:
    try:
        share = float(text)
    except ValueError:
        return None
    return share if 0 <= share <= 1 else None


def _fence() -> int:
    text = request.form.get("fence", "")
    if not text.isascii() or not text.isdigit():
        raise Faulty("The form is incomplete.", [Fault("/fence", "Load the task again.")])
    return int(text)


def _intervals(sent: object) -> list[Interval]:
    """The stretches of time that the page reports; what cannot be read is left out."""
    if not isinstance(sent, list):
        return []
    found = []
    for each in sent[:100]:
        try:
            started = datetime.fromisoformat(each["started_at"])
            ended = datetime.fromisoformat(each["ended_at"])
            kind = IntervalKind(each["kind"])
        except (KeyError, TypeError, ValueError):
            continue
        if started.tzinfo and ended.tzinfo and started < ended:
            found.append(Interval(kind, started, ended))
    return found


def _sent_intervals() -> list[Interval]:
    try:
        return _intervals(json.loads(request.form.get("intervals") or "[]"))
    except ValueError:
        return []


@workbench.get("/<uuid:claim_id>")
@needs(Permission.WORK_DO)
def show(claim_id: UUID) -> str:
    """One task with the last draft."""
    with transaction() as session:
        view = queries.claim_of(session, me(), ClaimId(claim_id))
    return _page(view)


@workbench.post("/next")
@needs(Permission.WORK_DO)
def claim_next() -> AnyResponse:
    """Claim the next task, of one job or of the best, and open it."""
    wanted = request.form.get("job_id", type=UUID)
    with transaction() as session:
        claim = routing.claim_next(session, me(), job_id=JobId(wanted) if wanted else None)
    if claim is None:
        flash("There is no further task for you at present.", "neutral")
        return redirect(url_for("specialists.home"), code=303)
    return redirect(url_for("workbench.show", claim_id=claim.id), code=303)


@workbench.put("/<uuid:claim_id>/draft")
@needs(Permission.WORK_DO)
def draft(claim_id: UUID) -> Any:
    """Save a revision; 412 with the newer tag when another window saved one meanwhile."""
    try:
        with transaction() as session:
            view = queries.claim_of(session, me(), ClaimId(claim_id))
            saved = work.save_draft(
                session,
                me(),
                ClaimId(claim_id),
                fence=_fence(),
                content=_read(view),
                if_match=request.headers.get("If-Match", ""),
            )
    except DraftMoved as moved:
        return {"code": moved.code, "detail": moved.message}, 412, {"ETag": view.etag}
    told = {"revision": saved.revision, "saved_at": saved.saved_at.isoformat()}
    return told, 200, {"ETag": etag(saved.revision)}


@workbench.post("/<uuid:claim_id>/heartbeat")
@needs(Permission.WORK_DO)
def heartbeat(claim_id: UUID) -> dict[str, str]:
    """Keep the lease and book the time."""
    sent = request.get_json(silent=True) or {}
    fence = sent.get("fence")
    if not isinstance(fence, int):
        raise Faulty("The call is incomplete.", [Fault("/fence", "Send the fence of the claim.")])
    with transaction() as session:
        expires_at = work.heartbeat(
            session,
            me(),
            ClaimId(claim_id),
            fence=fence,
            intervals=_intervals(sent.get("intervals")),
        )
    return {"expires_at": expires_at.isoformat()}


@workbench.post("/<uuid:claim_id>/submit")
@needs(Permission.WORK_DO)
def submit(claim_id: UUID) -> AnyResponse:
    """Hand in, and go on to the next task; an unfinished answer comes back with its faults."""
    wants_next = request.form.get("next") != "false"
    with transaction() as session:
        view = queries.claim_of(session, me(), ClaimId(claim_id))
    answer = _read(view)
    envelope = Envelope(**answer, intervals=_sent_intervals())
    try:
        with transaction() as session:
            handed_in = routing.submit_and_claim_next(
                session,
                me(),
                ClaimId(claim_id),
                fence=_fence(),
                envelope=envelope,
                wants_next=wants_next,
            )
    except Faulty as faulty:
        return _again(view, answer, faulty)
    if handed_in.submission.state is SubmissionState.SURPLUS:
        flash("Somebody else had taken this task; yours is kept beside theirs.", "watch")
    if handed_in.claim is not None:
        return redirect(url_for("workbench.show", claim_id=handed_in.claim.id), code=303)
    flash(handed_in.reason or "Handed in. Thank you.", "good")
    return redirect(url_for("specialists.home"), code=303)


def _again(view: ClaimView, answer: dict[str, Any], faulty: Faulty) -> Response:
    kind = task_type(view.job.task_type)
    named = [
        (fault.pointer.removeprefix("/judgement").strip("/").replace("/", "."), fault.message)
        for fault in faulty.faults
    ]
    page = _page(
        view,
        values=kind.to_form(answer["judgement"]) | _beside(answer),
        errors=named or [("", faulty.message)],
    )
    return Response(page, 422)


@workbench.post("/<uuid:claim_id>/release")
@needs(Permission.WORK_DO)
def release(claim_id: UUID) -> AnyResponse:
    """Give the task back."""
    with transaction() as session:
        work.release_claim(session, me(), ClaimId(claim_id), fence=_fence())
    flash("Given back. Nothing is held against you.", "neutral")
    return redirect(url_for("specialists.home"), code=303)


@workbench.post("/<uuid:claim_id>/outcome")
@needs(Permission.WORK_DO)
def outcome(claim_id: UUID) -> AnyResponse:
    """End the claim without an answer, with the reason."""
    try:
        kind = OutcomeKind(request.form.get("kind", ""))
    except ValueError:
        fault = Fault("/kind", "Choose what stands in the way.")
        raise Faulty("Say what stands in the way.", [fault]) from None
    with transaction() as session:
        work.report_outcome(
            session,
            me(),
            ClaimId(claim_id),
            fence=_fence(),
            kind=kind,
            evidence=request.form.get("evidence", ""),
        )
    flash("Reported. It penalises nobody, and the lab sees it.", "good")
    return redirect(url_for("specialists.home"), code=303)
