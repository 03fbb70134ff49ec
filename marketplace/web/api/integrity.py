"""Evidence packs over the API: for who decides, for whom they are about, and a count for labs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ids import JobId
from marketplace.quality import queries, service
from marketplace.quality.queries.integrity import PackRow
from marketplace.quality.rules.evidence_packs import PackOutcome
from marketplace.secrets import pseudonym
from marketplace.web import api
from marketplace.web import integrity_words as words
from marketplace.web.guards import me, needs

integrity_api = api.blueprint("integrity", "Questions about the integrity of work.")


class PackShown(Schema):
    """A question. statement: what was seen, in words; reply: what its person says to it."""

    id = fields.UUID()
    kind = fields.String()
    state = fields.String()
    outcome = fields.String(allow_none=True)
    job_id = fields.UUID(allow_none=True)
    person = fields.String(allow_none=True)
    statement = fields.String(allow_none=True)
    numbers = fields.Dict()
    pieces = fields.Integer()
    made_at = fields.AwareDateTime()
    told_at = fields.AwareDateTime(allow_none=True)
    reply_by = fields.AwareDateTime(allow_none=True)
    reply = fields.String(allow_none=True)
    replied_at = fields.AwareDateTime(allow_none=True)
    note = fields.String(allow_none=True)
    decided_at = fields.AwareDateTime(allow_none=True)


class AnswerShown(Schema):
    """An answer as it was when the question was put together."""

    submission_id = fields.UUID()
    item = fields.String()
    submitted_at = fields.String()
    seconds = fields.Integer()
    judgement = fields.Raw(metadata={"type": ["object", "null"]})
    rationale = fields.String(allow_none=True)
    person = fields.String(allow_none=True)


class PackWhole(PackShown):
    """A question with its answers. Its person gets their own; who decides gets all, in `sides` as
    they stand side by side."""

    answers = fields.List(fields.Nested(AnswerShown))
    sides = fields.List(fields.List(fields.UUID()))


def _shown(row: PackRow, *, named: bool) -> dict[str, Any]:
    pack, numbers = row.pack, row.content.numbers if row.content else None
    plain = ("id", "job_id", "pieces", "made_at", "told_at", "reply_by", "reply", "replied_at")
    return {name: getattr(pack, name) for name in (*plain, "note", "decided_at")} | {
        "kind": pack.kind.value,
        "state": pack.state.value,
        "outcome": pack.outcome.value if pack.outcome else None,
        "person": _name(str(pack.person_id)) if named else None,
        "statement": words.statement(pack.kind, numbers) if numbers else None,
        "numbers": numbers or {},
    }


def _name(person_id: str) -> str:
    return pseudonym(str(me().organisation()), person_id)


def _answer(row: dict[str, Any], *, named: bool) -> dict[str, Any]:
    names = ("submission_id", "item", "submitted_at", "seconds", "judgement", "rationale")
    person = _name(row["person_id"]) if named else None
    return {name: row[name] for name in names} | {"person": person}


def _whole(row: PackRow) -> dict[str, Any]:
    return _shown(row, named=True) | {
        "answers": [_answer(each, named=True) for each in row.rows],
        "sides": [[each["submission_id"] for each in side] for side in row.sides],
    }


def _own(row: PackRow) -> dict[str, Any]:
    answers = [_answer(each, named=False) for each in row.own_rows]
    sides = [[each["submission_id"]] for each in row.own_rows]
    return _shown(row, named=False) | {"answers": answers, "sides": sides}


@integrity_api.get("/operations/questions")
@needs(Permission.INTEGRITY_DECIDE)
@integrity_api.arguments(api.PageQuery, location="query")
@integrity_api.response(200, api.listing(PackShown))
def list_packs(asked: dict[str, Any]) -> dict[str, Any]:
    """Questions that are open, newest first."""
    with transaction() as session:
        rows = queries.pack_queue(session, me(), after=asked["after"], limit=asked["limit"] + 1)
    shown = [_shown(row, named=True) for row in rows]
    return api.page(shown, limit=asked["limit"], key=lambda row: row["id"])


@integrity_api.get("/operations/questions/<uuid:pack_id>")
@needs(Permission.INTEGRITY_DECIDE)
@integrity_api.response(200, PackWhole)
def get_pack(pack_id: UUID) -> dict[str, Any]:
    """One question with the answers that it is about."""
    with transaction() as session:
        return _whole(queries.pack_of(session, me(), pack_id))


@integrity_api.post("/operations/questions/<uuid:pack_id>/send")
@needs(Permission.INTEGRITY_DECIDE)
@api.once
@integrity_api.response(200, PackWhole)
def post_send(session: Session, pack_id: UUID) -> dict[str, Any]:
    """Send a question to its person, who has seven days to answer."""
    service.tell_pack(session, me(), pack_id)
    return _whole(queries.pack_of(session, me(), pack_id))


class CloseAsked(Schema):
    """What it comes to, and why; its person reads the note."""

    outcome = fields.Enum(PackOutcome, by_value=True, required=True)
    note = fields.String(required=True)


@integrity_api.post("/operations/questions/<uuid:pack_id>/close")
@needs(Permission.INTEGRITY_DECIDE)
@api.once
@integrity_api.arguments(CloseAsked)
@integrity_api.response(200, PackWhole)
def post_close(session: Session, asked: dict[str, Any], pack_id: UUID) -> dict[str, Any]:
    """Close a question; 409 for upholding it before its person answered or had the time to."""
    service.close_pack(session, me(), pack_id, outcome=asked["outcome"], note=asked["note"])
    return _whole(queries.pack_of(session, me(), pack_id))


@integrity_api.get("/questions")
@needs(Permission.WORK_DO)
@integrity_api.response(200, api.listing(PackWhole))
def list_own_packs() -> dict[str, Any]:
    """Questions about one's own work, newest first; at most fifty."""
    with transaction() as session:
        rows = queries.own_packs(session, me())
    return api.page([_own(row) for row in rows], limit=50, key=lambda row: row["id"])


class SideAsked(Schema):
    """One's side."""

    reply = fields.String(required=True)


@integrity_api.post("/questions/<uuid:pack_id>/reply")
@needs(Permission.WORK_DO)
@api.once
@integrity_api.arguments(SideAsked)
@integrity_api.response(200, PackWhole)
def post_side(session: Session, asked: dict[str, Any], pack_id: UUID) -> dict[str, Any]:
    """Answer a question about one's own work, once; a person reads it."""
    service.reply_to_pack(session, me(), pack_id, reply=asked["reply"])
    return _own(queries.own_pack(session, me(), pack_id))


class PiecesShown(Schema):
    """How many answers of a job people look at; of whom is told to nobody."""

    answers = fields.Integer()


@integrity_api.get("/jobs/<uuid:job_id>/integrity")
@needs(Permission.JOBS_VIEW)
@integrity_api.response(200, PiecesShown)
def get_pieces(job_id: UUID) -> dict[str, int]:
    """How many answers of one's job the quality team looks at now."""
    with transaction() as session:
        return {"answers": queries.pieces_looked_at(session, me(), JobId(job_id))}
