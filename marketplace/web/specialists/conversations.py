"""Talking to models in the workbench: say, ask again, choose; a part of the page, or the page.

With the island each answer is the conversation's part of the page. Without script the buttons send
the whole form: what stands in it is saved as a draft, and the page comes again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as AnyResponse

from marketplace.db import transaction
from marketplace.errors import Faulty, Refused
from marketplace.identity.rules import Permission
from marketplace.ids import ClaimId
from marketplace.tasktypes.conversation import UNSAID
from marketplace.web.conversations import asked
from marketplace.web.errors import status_of, wants_fragment
from marketplace.web.guards import me, needs
from marketplace.web.specialists import answers, bench
from marketplace.work import service as work
from marketplace.work.rules import DraftMoved

conversations = Blueprint("conversations", __name__, url_prefix="/work/tasks")
PART = "workbench/conversation.html"
BUSY = "Many conversations wait for a model at this moment. Yours is asked next; stay here."


def _turn() -> int:
    return _number("turn")


def _number(name: str) -> int:
    text = request.form.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _shown(
    claim_id: UUID, *, refused: Refused | None = None, is_busy: bool = False
) -> AnyResponse | tuple[str, int]:
    """How the conversation stands now. What was typed stays where it was refused."""
    words = refused.message if refused is not None else BUSY if is_busy else ""
    if isinstance(refused, Faulty) and refused.faults:
        words = refused.faults[0].message
    if not wants_fragment():
        return _page(claim_id, words, is_kept=refused is not None)
    with transaction() as session:
        found = bench.bench_of(session, claim_id)
    facts = bench.facts(found)
    values = answers.values(found.view, answers.read(found.view)) if refused is not None else {}
    facts |= bench.fields(values) | {"refused": words if refused else "", "is_busy": is_busy}
    return render_template(PART, **facts), int(status_of(refused)) if refused else 200


def _page(claim_id: UUID, words: str, *, is_kept: bool) -> AnyResponse:
    """The whole page again, for a browser without script."""
    try:
        with transaction() as session:
            _keep_draft(bench.bench_of(session, claim_id), session, is_kept=is_kept)
    except DraftMoved as moved:
        words = words or moved.message
    if words:
        flash(words, "watch")
    return redirect(url_for("workbench.show", claim_id=claim_id) + "#talk", code=303)


def _keep_draft(found: bench.Bench, session: Any, *, is_kept: bool) -> None:
    """Save what stands in the form; what was said is said, and is left out."""
    answer = answers.read(found.view)
    if not is_kept:
        answer["judgement"] = _without(answer["judgement"])
    held = found.view.draft.content if found.view.draft else {}
    if answer != held and "fence" in request.form:
        work.save_draft(
            session,
            me(),
            ClaimId(found.view.claim.id),
            fence=answers.fence(),
            content=answer,
            if_match=found.view.etag,
        )


def _without(judgement: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in judgement.items() if name not in UNSAID}


@conversations.get("/<uuid:claim_id>/conversation")
@needs(Permission.WORK_DO)
def look(claim_id: UUID) -> AnyResponse | tuple[str, int] | str:
    """How the conversation stands, for a page that waits."""
    if not wants_fragment():
        return redirect(url_for("workbench.show", claim_id=claim_id), code=303)
    with transaction() as session:
        found = bench.bench_of(session, claim_id)
    return render_template(PART, **(bench.facts(found) | {"refused": "", "is_busy": False}))


@conversations.post("/<uuid:claim_id>/conversation/look")
@needs(Permission.WORK_DO)
def look_again(claim_id: UUID) -> AnyResponse | tuple[str, int]:
    """Keep what stands in the form, and show the page again: what Enter means without script."""
    if wants_fragment():
        return _shown(claim_id)
    return _page(claim_id, "", is_kept=True)


@conversations.post("/<uuid:claim_id>/conversation/say")
@needs(Permission.WORK_DO)
def say(claim_id: UUID) -> AnyResponse | tuple[str, int]:
    """Store the specialist's words, and ask the models."""
    fence, turn = answers.fence(), _turn()
    text = request.form.get("saying", "").replace("\r\n", "\n").replace("\0", "").strip()
    try:
        with transaction() as session:
            work.say(session, me(), ClaimId(claim_id), fence=fence, turn=turn, text=text)
    except Refused as refused:
        return _shown(claim_id, refused=refused)
    return _asked(claim_id, fence, turn)


@conversations.post("/<uuid:claim_id>/conversation/ask")
@needs(Permission.WORK_DO)
def ask(claim_id: UUID) -> AnyResponse | tuple[str, int]:
    """Ask the models again, after a failure or a lost reply."""
    return _asked(claim_id, answers.fence(), _turn())


@conversations.post("/<uuid:claim_id>/conversation/choice")
@needs(Permission.WORK_DO)
def choose(claim_id: UUID) -> AnyResponse | tuple[str, int]:
    """Store which reply goes on; after “none of them” the models are asked again."""
    fence, turn = answers.fence(), _turn()
    choice = request.form.get("choice", "")
    edit = request.form.get(f"editing.{choice}")
    if edit is not None:
        edit = edit.replace("\r\n", "\n").replace("\0", "")
    try:
        with transaction() as session:
            work.choose_reply(
                session,
                me(),
                ClaimId(claim_id),
                fence=fence,
                turn=turn,
                choice=choice,
                attempt=_number("attempt"),
                edit=edit,
            )
    except Refused as refused:
        return _shown(claim_id, refused=refused)
    return _asked(claim_id, fence, turn) if choice == "neither" else _shown(claim_id)


def _asked(claim_id: UUID, fence: int, turn: int) -> AnyResponse | tuple[str, int]:
    try:
        free = asked(me(), claim_id, fence=fence, turn=turn)
    except Refused as refused:
        return _shown(claim_id, refused=refused)
    return _shown(claim_id, is_busy=not free)
