"""Erasing a person, in twos: one writes down that it was asked for, another carries it out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, url_for
from sqlalchemy.orm import Session
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Conflict, Denied
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission, PersonState
from marketplace.identity.service import erasure
from marketplace.payouts import service as payouts
from marketplace.web.guards import me, needs
from marketplace.web.operations.blueprint import operations


def erasure_facts(session: Session, person_id: UUID) -> dict[str, Any]:
    """What a person's page says of erasing them; nothing for those who may not see to it."""
    may = me().may(Permission.PEOPLE_MANAGE) or me().may(Permission.CREDENTIALS_VERIFY)
    state = identity.state_of(session, person_id)
    if not may or state is PersonState.ERASED or person_id == me().person_id:
        return {"erasable": False, "erased": state is PersonState.ERASED}
    waiting = identity.erasure_of(session, me(), person_id)
    asked_by = waiting.asked_by if waiting is not None else None
    names = identity.people_by_ids(session, {asked_by} if asked_by else set())
    return {
        "erasable": True,
        "erased": False,
        "waiting": waiting,
        "asked_by": names.get(asked_by, "A colleague") if asked_by else "A command",
        "mine": asked_by is not None and asked_by == me().person_id,
        "may_ask": me().may(Permission.CREDENTIALS_VERIFY),
        "may_carry_out": me().may(Permission.PEOPLE_MANAGE),
        "against": payouts.reasons_against(session, person_id),
    }


def _back(person_id: UUID) -> Response:
    return redirect(url_for("operations.person", person_id=person_id), code=303)


@operations.post("/people/<uuid:person_id>/erasure")
@needs(Permission.CREDENTIALS_VERIFY)
def ask_erasure(person_id: UUID) -> Response:
    """Write down that the person asked to be erased."""
    try:
        with transaction() as session:
            payouts.ask_erasure(session, me(), person_id)
    except Conflict as refused:
        flash(refused.message, "stop")
    else:
        flash("Written down. Nothing changed yet: an administrator looks too, and does it.", "good")
    return _back(person_id)


@operations.post("/people/<uuid:person_id>/erasure/dropped")
@needs(Permission.CREDENTIALS_VERIFY)
def drop_erasure(person_id: UUID) -> Response:
    """Take it off the table."""
    try:
        with transaction() as session:
            erasure.drop_erasure(session, me(), person_id)
    except Conflict as refused:
        flash(refused.message, "stop")
    else:
        flash("Off the table. Nothing was erased.", "good")
    return _back(person_id)


@operations.post("/people/<uuid:person_id>/erasure/carried-out")
@needs(Permission.PEOPLE_MANAGE)
def carry_out_erasure(person_id: UUID) -> Response:
    """Agree as the second person, and erase."""
    try:
        with transaction() as session:
            payouts.carry_out_erasure(session, me(), person_id)
    except (Conflict, Denied) as refused:
        flash(refused.message, "stop")
    else:
        flash("Erased. Their sign-in is closed; judgements and the book stay.", "good")
    return _back(person_id)
