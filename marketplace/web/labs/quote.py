"""What commits money: the quote, publishing, pausing, resuming, closing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, make_response, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Fault, Faulty, Refused
from marketplace.identity.rules import Permission
from marketplace.ids import JobId
from marketplace.jobs import queries, service
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState, seat_price
from marketplace.ledger import queries as ledger
from marketplace.ledger.service import InsufficientFunds
from marketplace.money import zero
from marketplace.routing import queries as routing_queries
from marketplace.routing import service as routing
from marketplace.routing.queries.forecast import FEW
from marketplace.web.filters import count, money, percent
from marketplace.web.guards import me, needs
from marketplace.web.labs import preview, shown
from marketplace.work import queries as work

quote = Blueprint("lab_quote", __name__, url_prefix="/lab/jobs")


def _facts(session: Session, job: Job) -> dict[str, Any]:
    fee = shown.fee_basis_points()
    quoted = routing.quote_job(session, me(), JobId(job.id), fee_basis_points=fee)
    available = ledger.lab_balance(session, me().organisation(), job.currency).available
    needed = quoted.estimate.most.total
    faults = [*queries.lint(session, job), *routing_queries.requirement_faults(session, job)]
    return shown.job_facts(job, "publish") | {
        "terms": queries.qualification_of(session, job.id),
        "quoted": quoted,
        "fee_percent": fee / 10_000,
        "available": available,
        "needed": needed,
        "left": available - needed,
        "short": max(needed - available, zero(job.currency), key=lambda amount: amount.minor),
        "steps": shown.steps_of(job, faults),
        "fault_count": len(faults),
        "removed": _removed(job, quoted.supply.removed),
        "refusal": "",
        "advice": shown.advice_of(job, [*queries.advice(session, job), *_unreachable(quoted)]),
        **preview.stored(session, job),
    }


def _unreachable(quoted: routing.Quote) -> list[Fault]:
    """The advice of a job whose confidence cannot be reached, with its figures."""
    if quoted.overlap is None or quoted.overlap.reachable:
        return []
    return [Fault("/overlap/confidence_target", quoted.overlap.why)]


def _removed(job: Job, removed: Mapping[str, int]) -> list[tuple[str, str]]:
    """What each requirement leaves out: (requirement, how many people), the most first."""
    words = {
        "profession": f"Asking for {(job.profession or '').replace('_', ' ')}",
        "specialty": "The specialties",
        "jurisdiction": f"A licence in {' or '.join(job.jurisdictions)}",
        "level": f"Credential level {job.credential_level_min}",
        "languages": f"The languages {' and '.join(job.languages)}",
        "skill": f"A measured skill of {percent(float(job.skill_min or 0), 0)}",
        "qualification": "The qualifications",
        "own_organisation": "Belonging to your organisation",
        "employer": "Working for your organisation",
    }
    most = sorted(removed.items(), key=lambda each: (-each[1], each[0]))
    return [(words[name], "fewer than five" if how < FEW else count(how)) for name, how in most]


@quote.get("/<uuid:job_id>/publish")
@needs(Permission.JOBS_VIEW)
def show(job_id: UUID) -> Response | str:
    """What still needs mending, what the job costs, who could do it, how long it may take."""
    with transaction() as session:
        job = queries.job_of(session, me(), job_id)
        facts = _facts(session, job) if job.state is JobState.DRAFT else None
    if facts is None:
        return redirect(url_for("lab_overview.show", job_id=job_id), code=303)
    return render_template("labs/publish.html", **facts)


@quote.post("/<uuid:job_id>/publish")
@needs(Permission.JOBS_PUBLISH)
def publish(job_id: UUID) -> Response:
    """Reserve the most that the job may cost, and open it."""
    try:
        with transaction() as session:
            job = routing.publish_job(
                session, me(), JobId(job_id), fee_basis_points=shown.fee_basis_points()
            )
    except (InsufficientFunds, Faulty) as refused:
        return _again(job_id, refused)
    flash(f"{job.title} is open. Specialists who fit see it now.", "good")
    return redirect(url_for("lab_overview.show", job_id=job_id), code=303)


def _again(job_id: UUID, refused: Refused) -> Response:
    with transaction() as session:
        facts = _facts(session, queries.job_of(session, me(), job_id))
    page = render_template("labs/publish.html", **facts | {"refusal": refused.message})
    return make_response(page, 422 if isinstance(refused, Faulty) else 409)


@quote.post("/<uuid:job_id>/pause")
@needs(Permission.JOBS_PUBLISH)
def pause(job_id: UUID) -> Response:
    """Stop handing out tasks."""
    with transaction() as session:
        service.pause_job(session, me(), job_id)
    flash("Paused. Tasks in hand go on and are paid; no new ones are handed out.", "good")
    return redirect(url_for("lab_overview.show", job_id=job_id), code=303)


@quote.post("/<uuid:job_id>/resume")
@needs(Permission.JOBS_PUBLISH)
def resume(job_id: UUID) -> Response:
    """Hand out tasks again; items that came later need money first."""
    try:
        with transaction() as session:
            routing.resume_job(session, me(), JobId(job_id))
    except InsufficientFunds as short:
        flash(f"{short.message} Top up first, then resume.", "stop")
        return redirect(url_for("lab_balance.show"), code=303)
    flash("Open again. Specialists who fit see it now.", "good")
    return redirect(url_for("lab_overview.show", job_id=job_id), code=303)


@quote.get("/<uuid:job_id>/close")
@needs(Permission.JOBS_PUBLISH)
def ask_close(job_id: UUID) -> str:
    """What closing does, to the work and to the money."""
    with transaction() as session:
        job = queries.job_of(session, me(), job_id)
        progress = work.progress_of(session, me(), JobId(job_id))
        held = ledger.job_balance(session, JobId(job_id), job.currency)
        spare = ledger.job_money(session, JobId(job_id), job.currency).contingency
        facts = shown.job_facts(job, "settings")
    undecided = progress.seats_claimed + progress.submitted + progress.in_review
    each = seat_price(job.terms(shown.fee_basis_points())).total
    needed = each * undecided + (spare if undecided else zero(job.currency))
    kept = min(needed, held, key=lambda amount: amount.minor)
    return render_template(
        "labs/close.html", progress=progress, held=held, kept=kept, back=held - kept,
        undecided=undecided, **facts,
    )  # fmt: skip


@quote.post("/<uuid:job_id>/close")
@needs(Permission.JOBS_PUBLISH)
def close(job_id: UUID) -> Response:
    """End the job; what it does not need goes back to the balance."""
    with transaction() as session:
        currency = queries.job_of(session, me(), job_id).currency
        before = ledger.job_balance(session, JobId(job_id), currency)
        job = routing.close_job(session, me(), JobId(job_id))
        back = before - ledger.job_balance(session, JobId(job_id), job.currency)
    words = f" {money(back)} went back to your balance." if back else ""
    flash(f"The job is closed.{words}", "good")
    return redirect(url_for("lab_overview.show", job_id=job_id), code=303)
