"""Steps of an agent's run on pages: a page of them without script, pieces of them for a list.

A run may hold thousands of steps, so no answer renders all of them: the workbench's page has the
first, and fetches the others piece by piece.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from marketplace.db import transaction
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ids import ClaimId
from marketplace.tasktypes import Json
from marketplace.tasktypes.trajectory_form import read_marks
from marketplace.tasktypes.trajectory_steps import agents_of, in_order, went_wrong
from marketplace.web.guards import me, needs
from marketplace.web.run_steps import Shown, shown, steps_to_show
from marketplace.web.specialists import answers
from marketplace.work import queries
from marketplace.work import service as work

trace = Blueprint("trace", __name__, url_prefix="/work/tasks")
TYPE = "trajectory"
PAGE_STEPS = 20
PIECE_STEPS_MAX = 200


@dataclass(frozen=True, slots=True)
class Page:
    """Some steps of a run, and where they stand in it; pages count from 1."""

    steps: list[Shown]
    total: int
    number: int
    pages: int
    marks: Mapping[str, Json]
    agents: list[str]
    errors: list[str]


@trace.app_template_global()
def trace_page(payload: Json, values: Mapping[str, str]) -> Page:
    """The page of steps that the reader asked for, the first where they did not."""
    placed = in_order(payload)
    pages = -(-len(placed) // PAGE_STEPS)
    wanted = request.values.get("at_page", 1, type=int)
    number = min(max(wanted, 1), pages)
    start = (number - 1) * PAGE_STEPS
    marks = read_marks(values.get("marks", ""))
    wrong = {name for name, mark in marks.items() if mark.get("correctness") == -1}
    return Page(
        steps=[shown(each) for each in placed[start : start + PAGE_STEPS]],
        total=len(placed),
        number=number,
        pages=pages,
        marks=marks,
        agents=agents_of(payload),
        errors=[each.id for each in placed if each.id in wrong or went_wrong(each.step)],
    )


trace.add_app_template_global(steps_to_show)


@trace.get("/<uuid:claim_id>/steps")
@needs(Permission.WORK_DO)
def steps(claim_id: UUID) -> AnyResponse:
    """A piece of the run, from step `from` on."""
    start = max(0, request.args.get("from", 0, type=int))
    count = min(max(1, request.args.get("count", 100, type=int)), PIECE_STEPS_MAX)
    with transaction() as session:
        view = queries.claim_of(session, me(), ClaimId(claim_id))
    if view.job.task_type != TYPE:
        raise Missing("This task has no steps.")
    placed = in_order(view.payload)
    some = [shown(each) for each in placed[start : start + count]]
    page = render_template("workbench/trajectory_piece.html", steps=some, total=len(placed))
    return Response(page)


@trace.post("/<uuid:claim_id>/page")
@needs(Permission.WORK_DO)
def turn(claim_id: UUID) -> AnyResponse:
    """Keep what was judged on this page, and go to another; for browsers without script."""
    with transaction() as session:
        view = queries.claim_of(session, me(), ClaimId(claim_id))
        if view.job.task_type != TYPE:
            raise Missing("This task has no steps.")
        work.save_draft(
            session,
            me(),
            view.claim.id,
            fence=answers.fence(),
            content=answers.read(view),
            if_match=view.etag,
        )
    wanted = request.form.get("go_page", 1, type=int)
    address = url_for("workbench.show", claim_id=claim_id, at_page=wanted)
    return redirect(f"{address}#trace", code=303)
