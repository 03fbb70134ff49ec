"""Versions of a job's template over the API: what each changed, and a new one while it runs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ids import JobId
from marketplace.jobs import queries
from marketplace.jobs.models import TemplateVersion
from marketplace.jobs.rules import CHANGE_LABELS, VersionChange
from marketplace.jobs.rules.differences import differences
from marketplace.routing import service as routing
from marketplace.web import api
from marketplace.web.guards import me, needs

versions_api = api.blueprint("versions", "Versions of a job: what people are asked, and by which "
                             "words.")  # fmt: skip
CHOICES = "; ".join(f"{each.value}: {CHANGE_LABELS[each]}" for each in VersionChange)


class AgainAsked(Schema):
    """What each judgement that is asked for again would pay; the job's own pay where left out."""

    pay = fields.Nested(api.MoneySchema, load_default=None)


class AgainShown(Schema):
    """What asking judged tasks again costs now: how many judgements, and what is reserved."""

    judgements = fields.Integer()
    pay = fields.Nested(api.MoneySchema)
    fee = fields.Nested(api.MoneySchema)
    most = fields.Nested(api.MoneySchema)
    contingency = fields.Nested(api.MoneySchema)


class NewVersion(Schema):
    """A new version of a running job; what is left out stays as it is."""

    change = fields.Enum(
        VersionChange,
        by_value=True,
        required=True,
        metadata={"description": f"What becomes of work that was begun. {CHOICES}"},
    )
    template = fields.Dict(keys=fields.String(), load_default=None)
    instructions_md = fields.String(load_default=None)
    pay = fields.Nested(
        api.MoneySchema,
        load_default=None,
        metadata={"description": "reopen only: of each judgement that is asked for again"},
    )
    most = fields.Nested(
        api.MoneySchema,
        load_default=None,
        metadata={"description": "reopen only: what you agreed to reserve; refused if it is more"},
    )
    version = fields.Integer(
        strict=True,
        load_default=None,
        metadata={"description": "The job's `version` that you saw; 409 if it changed meanwhile"},
    )


class DifferenceShown(Schema):
    """One part of the template that is different from the version before, as JSON."""

    place = fields.String(metadata={"description": "JSON pointer into the template"})
    kind = fields.String(validate=validate.OneOf(["added", "removed", "changed"]))
    before = fields.String()
    after = fields.String()


class VersionShown(Schema):
    """A version: its number, what it asks, and what it changed."""

    id = fields.UUID()
    number = fields.Integer()
    change = fields.String(allow_none=True, metadata={"description": "null for a draft's"})
    template = fields.Dict(keys=fields.String())
    instructions_md = fields.String()
    differences = fields.List(fields.Nested(DifferenceShown))
    created_at = fields.AwareDateTime()


@versions_api.get("/jobs/<uuid:job_id>/versions")
@needs(Permission.JOBS_VIEW)
@versions_api.arguments(api.page_query(fields.Integer(load_default=None)), location="query")
@versions_api.response(200, api.listing(VersionShown))
def list_versions(asked: dict[str, Any], job_id: UUID) -> dict[str, Any]:
    """The versions of a job, newest first, each with its differences; `after` is a number."""
    with transaction() as session:
        made = list(queries.template_versions(session, me(), job_id))
    wanted = [
        _shown(each, made) for each in made if not asked["after"] or each.number < asked["after"]
    ]
    return api.page(wanted, limit=asked["limit"], key=lambda row: row["number"])


@versions_api.post("/jobs/<uuid:job_id>/versions/quote")
@needs(Permission.JOBS_VIEW)
@versions_api.arguments(AgainAsked)
@versions_api.response(200, AgainShown)
def post_version_quote(asked: dict[str, Any], job_id: UUID) -> dict[str, Any]:
    """What it would cost now to ask the judged tasks again; nothing is committed."""
    with transaction() as session:
        again = routing.quote_again(session, me(), JobId(job_id), pay=asked["pay"])
    return {
        "judgements": again.seats,
        "pay": again.each.pay,
        "fee": again.each.fee,
        "most": again.most,
        "contingency": again.contingency,
    }


@versions_api.post("/jobs/<uuid:job_id>/versions")
@needs(Permission.JOBS_PUBLISH)
@api.once
@versions_api.arguments(NewVersion)
@versions_api.response(201, VersionShown)
def post_version(session: Session, asked: dict[str, Any], job_id: UUID) -> dict[str, Any]:
    """Make a new version of a running job; claims in hand keep the one they were made under.

    409 where nothing would change or the job does not run; 422 where items that are in do not fit
    the template; 409 `insufficient_funds` where asking again cannot be reserved.
    """
    given = dict(asked)
    seen = given.pop("version")
    routing.change_version(session, me(), JobId(job_id), if_version=seen, **given)
    made = list(queries.template_versions(session, me(), job_id))
    return _shown(made[0], made)


def _shown(version: TemplateVersion, made: list[TemplateVersion]) -> dict[str, Any]:
    former = next((each for each in made if each.number == version.number - 1), None)
    found = differences(former.template, version.template) if former else []
    return {
        "id": version.id,
        "number": version.number,
        "change": version.change,
        "template": version.template,
        "instructions_md": version.instructions_md,
        "differences": [
            {
                "place": each.place,
                "kind": each.kind.value,
                "before": each.before,
                "after": each.after,
            }
            for each in found
        ],
        "created_at": version.created_at,
    }
