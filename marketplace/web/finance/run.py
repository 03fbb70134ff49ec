"""One payout run: its ledger page, and what its two people do with it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from marshmallow import fields
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import audit
from marketplace.db import transaction
from marketplace.errors import Conflict, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.ledger import queries as ledger
from marketplace.ledger.rules import SourceKind
from marketplace.money import Money
from marketplace.payouts import queries, service
from marketplace.payouts.models import PayoutApproval, PayoutLine, PayoutRun
from marketplace.payouts.rules import BANK_LABELS, LINE_LABELS, NOT_SENT, LineState, RunState
from marketplace.web.downloads import Cell, amount, csv_text, download
from marketplace.web.finance import shown
from marketplace.web.finance.blueprint import finance
from marketplace.web.forms import Form, load, refill
from marketplace.web.fragments import page_or_block
from marketplace.web.guards import me, needs, step_up_try, visitor

PAGE = 100
APPROVED = "approved a payout run"
CANCELLABLE = frozenset({RunState.DRAFT, RunState.APPROVED, RunState.RELEASING})
TEMPLATE = "finance/run.html"
HEAD = (
    *("line", "specialist", "account", "currency", "amount", "withheld", "taken_back", "state"),
    *("reason", "transfer", "balance_transaction", "bank", "ended_at"),
)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many lines of a run are in a state, and their sum."""

    state: LineState
    label: str
    count: int
    total: Money


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the visitor may do with a run now; why_not: a sentence instead of the approval form."""

    approve: bool
    why_not: str
    release: bool
    pause: bool
    resume: bool
    cancel: bool
    take_back: bool


class ApprovalForm(Form):
    """The hash of the content that was looked at, and a present code."""

    content_sha256 = fields.String(required=True)
    code = fields.String(required=True, error_messages={"required": "Type the six digits."})


Deed = Callable[..., Response]


def keeps_page(view: Deed) -> Deed:
    """Show the run again, with what stood in the way, when its verb refuses."""

    @functools.wraps(view)
    def shown_again(run_id: UUID, **others: UUID) -> Response:
        try:
            return view(run_id, **others)
        except Faulty as error:
            return refill(TEMPLATE, error, **_facts(run_id))
        except Conflict as refused:
            facts = _facts(run_id) | {"refused": refused.message}
            page = render_template(TEMPLATE, **facts)
            return Response(page, 409, mimetype="text/html")

    return shown_again


@finance.get("/payout-runs/<uuid:run_id>")
@needs(Permission.FINANCE_VIEW)
def show_run(run_id: UUID) -> str:
    """The run with its lines, its tally and its signatures; htmx asks for what moves."""
    return page_or_block(TEMPLATE, "live", **_facts(run_id))


@finance.post("/payout-runs/<uuid:run_id>/approve")
@needs(Permission.PAYOUTS_APPROVE)
@keeps_page
def approve_run(run_id: UUID) -> Response:
    """Sign the content that the page showed."""
    asked = load(ApprovalForm)
    step_up_try()
    with transaction() as session:
        run = service.approve_run(session, me(), run_id, asked["content_sha256"], asked["code"])
    if run.state is RunState.APPROVED:
        flash("Approved. Its preparer or you can release it now.", "good")
    else:
        flash("You approved it as the first of two. It waits for somebody else.", "good")
    return _back(run_id)


@finance.post("/payout-runs/<uuid:run_id>/release")
@needs(Permission.PAYOUTS_RELEASE)
@keeps_page
def release_run(run_id: UUID) -> Response:
    """Start sending."""
    with transaction() as session:
        service.release_run(session, me(), run_id)
    flash("Released. The lines are on their way to Stripe.", "good")
    return _back(run_id)


@finance.post("/payout-runs/<uuid:run_id>/pause")
@needs(Permission.PAYOUTS_RELEASE)
@keeps_page
def pause_run(run_id: UUID) -> Response:
    """Send nothing further until somebody goes on."""
    with transaction() as session:
        service.pause_by_hand(session, me(), run_id)
    flash("Paused. What Stripe has been asked for already comes to its end.")
    return _back(run_id)


@finance.post("/payout-runs/<uuid:run_id>/resume")
@needs(Permission.PAYOUTS_RELEASE)
@keeps_page
def resume_run(run_id: UUID) -> Response:
    """Go on after money was missing at Stripe, or after somebody paused."""
    with transaction() as session:
        service.resume_run(session, me(), run_id)
    flash("Sending goes on.", "good")
    return _back(run_id)


@finance.post("/payout-runs/<uuid:run_id>/cancel")
@needs(Permission.PAYOUTS_PREPARE)
@keeps_page
def cancel_run(run_id: UUID) -> Response:
    """Cancel all that was not sent."""
    with transaction() as session:
        service.cancel_run(session, me(), run_id)
    flash("What was not sent is cancelled; that money is available to its specialists again.")
    return _back(run_id)


@finance.get("/payout-runs/<uuid:run_id>/lines.csv")
@needs(Permission.FINANCE_VIEW)
def run_file(run_id: UUID) -> Response:
    """Every line of a run, with what Stripe and the bank did."""
    with transaction() as session:
        run = queries.run_of(session, me(), run_id)
        rows = (_cells(line) for line in queries.every_line(session, me(), run_id))
        return download(csv_text(HEAD, rows), f"{run.reference}.csv", "text/csv")


def _cells(line: PayoutLine) -> list[Cell]:
    return [
        str(line.id),
        str(line.specialist_id),
        line.stripe_account_id,
        line.currency,
        amount(line.amount),
        amount(Money(line.withheld_minor, line.currency)),
        amount(Money(line.reversed_minor, line.currency)),
        line.state.value,
        line.reason_code,
        line.transfer_id,
        line.balance_transaction_id,
        line.bank_state.value if line.bank_state else None,
        line.ended_at.isoformat() if line.ended_at else None,
    ]


@finance.get("/payout-lines/<uuid:line_id>")
@needs(Permission.FINANCE_VIEW)
def show_line(line_id: UUID) -> Response:
    """Where a line stands: in its run."""
    with transaction() as session:
        run_id = queries.line_of(session, me(), line_id).run_id
    address = url_for("finance.show_run", run_id=run_id, around=line_id, _anchor=f"line-{line_id}")
    return redirect(address, code=303)


@finance.post("/payout-runs/<uuid:run_id>/lines/<uuid:line_id>/cancel")
@needs(Permission.PAYOUTS_PREPARE)
@keeps_page
def cancel_line(run_id: UUID, line_id: UUID) -> Response:
    """Take one line out of its run."""
    del run_id  # The line knows its run; the address says which page to keep.
    with transaction() as session:
        line = service.cancel_line(session, me(), line_id)
    flash("The line is cancelled; its money is available to the specialist again.")
    return _back(line.run_id)


def _back(run_id: UUID) -> Response:
    return redirect(url_for("finance.show_run", run_id=run_id), code=303)


def _facts(run_id: UUID) -> dict[str, Any]:
    """All that the page shows; Missing for an unknown run."""
    with transaction() as session:
        run = queries.run_of(session, me(), run_id)
        tally = [
            Tally(state, LINE_LABELS[state], count, Money(int(minor), run.currency))
            for state, count, minor in queries.tally(session, me(), run_id)
        ]
        found, last = _page(session, run)
        trail = audit.trail_of(session, run.id)
        approvals = queries.approvals_of(session, me(), run.id)
        signers = {run.prepared_by, run.approved_by, run.released_by, run.paused_by}
        signers |= {one.person_id for one in approvals}
        acted = {row.person_id for row in trail} | signers
        people = {line.specialist_id for line in found} | {one for one in acted if one}
        return {
            "run": run,
            "tally": tally,
            "trail": trail,
            "approvals": [one for one in approvals if one.content_sha256 == run.content_sha256],
            "left_out": len(run.asked.get("without", [])),
            "at_bank": [
                (state, BANK_LABELS[state], count, Money(int(minor), run.currency))
                for state, count, minor in queries.bank_tally(session, me(), run_id)
            ],
            "void": _void(run, trail),
            "last": last,
            "names": shown.names_of(session, people),
            "tail": shown.tail,
            "allowed": allowed(run, any(one.state in NOT_SENT for one in tally), approvals),
            "refused": "",
            **_progress(run, tally),
            **_about_lines(session, run, found),
        }


def _page(session: Session, run: PayoutRun) -> tuple[list[PayoutLine], UUID | None]:
    """The lines to show, and the last one's id when there are more."""
    states = {each.value: each for each in LineState}
    state = states.get(request.args.get("state", ""))
    after = parse_id(request.args.get("after", ""))
    around = parse_id(request.args.get("around", ""))
    if around is not None:
        # Just before it, so that the page begins with it.
        after, state = UUID(int=around.int - 1), None
    rows = queries.lines_of(session, me(), run.id, state=state, after=after, limit=PAGE + 1)
    return rows[:PAGE], rows[PAGE - 1].id if len(rows) > PAGE else None


def _about_lines(session: Session, run: PayoutRun, lines: list[PayoutLine]) -> dict[str, Any]:
    ids = [line.id for line in lines]
    return {
        "lines": lines,
        "line_labels": LINE_LABELS,
        "attempts": queries.attempts_by_line(session, me(), ids),
        "bank_labels": BANK_LABELS,
        "bank_payouts": queries.bank_payouts_of(session, me(), ids),
        "changed": queries.changed_payees(session, me(), run.id),
        "posted": ledger.postings_of(
            session, me(), SourceKind.TRANSFER, [str(line_id) for line_id in ids]
        ),
    }


def _progress(run: PayoutRun, tally: Sequence[Tally]) -> dict[str, Any]:
    """How far sending is: lines that need nothing more, of all that were to be sent."""
    numbers = {one.state: one.count for one in tally}
    sent, rejected = numbers.get(LineState.TRANSFERRED, 0), numbers.get(LineState.REJECTED, 0)
    dropped = numbers.get(LineState.CANCELLED, 0)
    return {
        "ended": sent + rejected,
        "of_all": sum(numbers.values()) - dropped,
        "sent": sent,
        "not_sent": rejected + dropped,
        "waiting": numbers.get(LineState.UNKNOWN, 0),
        "gap": Money(run.funding_gap_minor, run.currency) if run.funding_gap_minor else None,
        "moving": run.state is RunState.RELEASING and run.paused_at is None,
    }


def _void(run: PayoutRun, trail: Sequence[audit.AuditRow]) -> audit.AuditRow | None:
    """The approval that a later change made void, while nobody has approved again."""
    approvals = [row for row in trail if row.verb == APPROVED]
    return approvals[0] if approvals and run.state is RunState.DRAFT else None


def allowed(run: PayoutRun, unsent: bool, approvals: Sequence[PayoutApproval]) -> Allowed:
    """What the visitor may do with the run as it stands. unsent: some line was not sent yet."""
    here, actor = visitor(), me()
    draft = run.state is RunState.DRAFT and actor.may(Permission.PAYOUTS_APPROVE)
    own = run.prepared_by == actor.person_id
    why_not = ""
    if own and run.state is RunState.DRAFT:
        why_not = "You prepared this run, so somebody else must approve it."
    elif draft and _signed(run, approvals):
        why_not = "You have approved it. It needs two approvals, so somebody else is next."
    elif draft and here is not None and not here.has_totp:
        why_not = "factor"
    release = actor.may(Permission.PAYOUTS_RELEASE)
    return Allowed(
        approve=draft and not why_not,
        why_not=why_not,
        release=release
        and run.state is RunState.APPROVED
        and actor.person_id in {run.prepared_by, run.approved_by},
        pause=release and run.state is RunState.RELEASING and run.paused_at is None and unsent,
        resume=release and run.state is RunState.RELEASING and run.paused_at is not None,
        cancel=actor.may(Permission.PAYOUTS_PREPARE) and run.state in CANCELLABLE and unsent,
        take_back=release,
    )


def _signed(run: PayoutRun, approvals: Sequence[PayoutApproval]) -> bool:
    """Whether the visitor has approved the run as it is now."""
    mine = {one.content_sha256 for one in approvals if one.person_id == me().person_id}
    return run.content_sha256 in mine
