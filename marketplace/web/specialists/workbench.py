"""The workbench: one task, its drafts, its lease, handing it in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from marketplace.db import transaction
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import ClaimId, JobId
from marketplace.routing import service as routing
from marketplace.routing.rules import NotEligible, NotOpen
from marketplace.web import settings
from marketplace.web.filters import money
from marketplace.web.forms import form_page
from marketplace.web.guards import me, needs
from marketplace.web.specialists import answers, bench, qualifications, receipts
from marketplace.web.specialists.bench import Bench
from marketplace.work import queries
from marketplace.work import service as work
from marketplace.work.rules import (
    ClaimState,
    DraftMoved,
    Envelope,
    OutcomeKind,
    etag,
)

workbench = Blueprint("workbench", __name__, url_prefix="/work/tasks")
ENDED = {
    ClaimState.SUBMITTED: "This task is handed in.",
    ClaimState.RETURNED: "This task came back to you as another one; it stands below.",
    ClaimState.RELEASED: "You gave this task back.",
    ClaimState.REPORTED: "You reported this task; the lab sees what stands in the way.",
}


def _page(found: Bench, **more: Any) -> str:
    kind = found.view.job.task_type
    return render_template(f"workbench/{kind}.html", **(bench.facts(found) | more))


@workbench.get("/<uuid:claim_id>")
@needs(Permission.WORK_DO)
def show(claim_id: UUID) -> str | AnyResponse:
    """One task with the last draft; one that has ended leads away."""
    with transaction() as session:
        found = bench.bench_of(session, claim_id)
    state = found.view.claim.state
    if state in ENDED:
        flash(ENDED[state], "neutral")
        handed_in = state is ClaimState.SUBMITTED
        where = "specialists.submissions" if handed_in else "specialists.home"
        return redirect(url_for(where), code=303)
    return _page(found)


@workbench.post("/next")
@needs(Permission.WORK_DO)
def claim_next() -> AnyResponse:
    """Claim the next task, of one job or of the best, and open it."""
    wanted = request.form.get("job_id", type=UUID)
    try:
        with transaction() as session:
            claim = routing.claim_next(session, me(), job_id=JobId(wanted) if wanted else None)
    except (NotEligible, NotOpen) as refused:
        flash(refused.message, "watch")
        where = url_for("specialists.job", job_id=wanted) if wanted else url_for("specialists.home")
        return redirect(where, code=303)
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
            newest = view.etag  # A refusal rolls back, and the view with it.
            saved = work.save_draft(
                session,
                me(),
                ClaimId(claim_id),
                fence=answers.fence(),
                content=answers.read(view),
                if_match=request.headers.get("If-Match", ""),
            )
    except DraftMoved as moved:
        return {"code": moved.code, "detail": moved.message}, 412, {"ETag": newest}
    told = {"revision": saved.revision, "saved_at": saved.saved_at.isoformat()}
    return told, 200, {"ETag": etag(saved.revision)}


@workbench.post("/<uuid:claim_id>/heartbeat")
@needs(Permission.WORK_DO)
def heartbeat(claim_id: UUID) -> dict[str, str]:
    """Keep the lease and book the time."""
    try:
        sent = request.get_json(silent=True)
    except RecursionError:
        sent = None
    fence = sent.get("fence") if isinstance(sent, dict) else None
    if sent is None or not isinstance(fence, int):
        raise Faulty("The call is incomplete.", [Fault("/fence", "Send the fence of the claim.")])
    with transaction() as session:
        expires_at = work.heartbeat(
            session,
            me(),
            ClaimId(claim_id),
            fence=fence,
            intervals=answers.intervals(sent.get("intervals")),
        )
        state = queries.state_of_job(session, me(), ClaimId(claim_id))
    told = bench.STATE_WORDS.get(state, "")
    return {"expires_at": expires_at.isoformat(), "job_state": state.value, "told": told}


@workbench.post("/<uuid:claim_id>/submit")
@needs(Permission.WORK_DO)
def submit(claim_id: UUID) -> AnyResponse:
    """Hand in, and go on to the next task; an unfinished answer comes back with its faults."""
    wants_next = request.form.get("next") != "false"
    with transaction() as session:
        found = bench.bench_of(session, claim_id)
    answer = answers.read(found.view)
    envelope = Envelope(
        **answer, intervals=answers.sent_intervals(), time_notes=answers.time_notes()
    )
    try:
        with transaction() as session:
            handed_in = routing.submit_and_claim_next(
                session,
                me(),
                ClaimId(claim_id),
                fence=answers.fence(),
                envelope=envelope,
                wants_next=wants_next,
            )
    except Faulty as faulty:
        return _again(found, answer, faulty)
    given = handed_in.submission
    # A repeat looks like any other task to whoever does it.
    if given.is_surplus and given.repeats_submission_id is None:
        pay = money(given.pay)
        words = "Your time had run out and the task was not free any more. Your answer is kept as "
        flash(f"{words}an extra one, and earns {pay} once it is accepted.", "watch")
    if handed_in.claim is not None:
        return redirect(url_for("workbench.show", claim_id=handed_in.claim.id), code=303)
    attempt_id = qualifications.newest_attempt(found.view.job)
    if attempt_id is not None:
        return _elsewhere(url_for("specialists.attempt", attempt_id=attempt_id))
    told = receipts.told_after(given, found.view.job.task_type)
    if told:
        flash("Handed in. Beside your verdict stands what the judge said.", "good")
        return _elsewhere(told)
    flash(handed_in.reason or "Handed in. Thank you.", "good")
    return _elsewhere(url_for("specialists.home"))


def _elsewhere(address: str) -> AnyResponse:
    """On to a page that is no workbench. The script is told where, and goes there itself: a page
    that it fetched and threw away would take with it what the next one has to say."""
    if request.headers.get("HX-Request") == "true":
        return Response(status=200, headers={"HX-Redirect": address})
    return redirect(address, code=303)


def _again(found: Bench, answer: dict[str, Any], faulty: Faulty) -> Response:
    named = answers.faults_in_words(found.view, faulty.faults)
    facts = bench.fields(answers.values(found.view, answer)) | {
        "errors": named or [("", faulty.message)],
        # Nothing was booked: the page reports this time again.
        "intervals": request.form.get("intervals", ""),
        "time_notes": request.form.get("time_notes", ""),
    }
    shown = bench.facts(found)
    if shown["draft"]:
        facts["draft"] = shown["draft"] | {"restored": False}
    return Response(_page(found, **facts), 422)


def _leaving() -> dict[str, Any]:
    with transaction() as session:
        claim_id = ClaimId((request.view_args or {})["claim_id"])
        view = queries.claim_of(session, me(), claim_id)
    return {"claim": view.claim, "job": view.job, "urls": bench.urls(view.claim.id)}


@workbench.get("/<uuid:claim_id>/leave")
@needs(Permission.WORK_DO)
def leaving(claim_id: UUID) -> str:
    """The ways to end a claim without an answer, as a page of their own."""
    del claim_id  # Read from the request, as after a faulty form.
    return render_template("workbench/leaving.html", **_leaving())


@workbench.post("/<uuid:claim_id>/release")
@needs(Permission.WORK_DO)
def release(claim_id: UUID) -> AnyResponse:
    """Give the task back."""
    with transaction() as session:
        work.release_claim(session, me(), ClaimId(claim_id), fence=answers.fence())
    flash("Given back. Nothing is held against you.", "neutral")
    return redirect(url_for("specialists.home"), code=303)


@workbench.post("/<uuid:claim_id>/outcome")
@needs(Permission.WORK_DO)
@form_page("workbench/leaving.html", _leaving)
def outcome(claim_id: UUID) -> AnyResponse:
    """End the claim without an answer, with the reason."""
    try:
        kind = OutcomeKind(request.form.get("kind", ""))
    except ValueError:
        fault = Fault("/kind", "Choose what stands in the way.")
        raise Faulty("Say what stands in the way.", [fault]) from None
    with transaction() as session:
        reported = routing.report_outcome(
            session,
            me(),
            ClaimId(claim_id),
            fence=answers.fence(),
            kind=kind,
            evidence=request.form.get("evidence", "").replace("\0", ""),
            clearance_days=settings().clearance_days,
        )
    if kind is OutcomeKind.OPTED_OUT:
        paid = f" What you did earned {money(reported.earned)}." if reported.earned else ""
        flash(f"You stopped, and that is all right. Nothing is held against you.{paid}", "neutral")
        return redirect(url_for("specialists.home"), code=303)
    earned = f" It earned {money(reported.earned)}." if reported.earned else ""
    flash(f"Reported. It penalises nobody, and the lab sees it.{earned}", "good")
    return redirect(url_for("specialists.home"), code=303)
