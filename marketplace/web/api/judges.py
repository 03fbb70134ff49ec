"""Judges over the API: setting them up, asking them about a job's items, reports on them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.quality.models import JudgeReport, JudgeRun, JudgeVersion
from marketplace.quality.queries import judges as queries
from marketplace.quality.rules.judges.asking import DEFAULT_PROMPT, AnswerFormat
from marketplace.quality.rules.judges.runs import CALLS_A_MINUTE, RunState
from marketplace.quality.rules.judges.standing import MARGIN
from marketplace.quality.service import judge_reports, judge_runs
from marketplace.quality.service import judges as service
from marketplace.web import api
from marketplace.web.guards import me, needs

judges_api = api.blueprint("judges", "Judges: LLM judges, their verdicts, and their calibration.")


class JudgeChange(Schema):
    """What makes up a version; what is left out stays. aspects: dimensions, as the template of a
    judge calibration has them; endpoint: the name of a model endpoint; model: its own where
    unset; answer_format: json_schema, json_object or text."""

    endpoint = fields.String()
    model = fields.String()
    prompt = fields.String()
    aspects = fields.List(fields.Dict(keys=fields.String()))
    answer_format = fields.Enum(AnswerFormat, by_value=True)
    temperature = fields.Float(allow_none=True)
    top_p = fields.Float(allow_none=True)
    seed = fields.Integer(strict=True, allow_none=True)
    tokens_max = fields.Integer(strict=True)
    both_orders = fields.Boolean()


class NewJudge(JudgeChange):
    """A new judge. name: as verdicts carry it, with the number of the version."""

    name = fields.String(required=True)
    endpoint = fields.String(required=True)
    aspects = fields.List(fields.Dict(keys=fields.String()), required=True)
    prompt = fields.String(load_default=DEFAULT_PROMPT)


class JudgeVersionShown(Schema):
    """A frozen version of a judge; any change makes another. prompt_sha256: of the prompt;
    frozen_sha256: of all that decides its answers."""

    judge_id = fields.UUID()
    version_id = fields.UUID()
    number = fields.Integer()
    model = fields.String()
    prompt = fields.String()
    prompt_sha256 = fields.String()
    frozen_sha256 = fields.String()
    aspects = fields.List(fields.Dict())
    output_schema = fields.Dict()
    answer_format = fields.Enum(AnswerFormat, by_value=True)
    temperature = fields.Float(allow_none=True)
    top_p = fields.Float(allow_none=True)
    seed = fields.Integer(allow_none=True)
    tokens_max = fields.Integer()
    both_orders = fields.Boolean()
    created_at = fields.AwareDateTime()


class JudgeListed(JudgeVersionShown):
    """A judge with its newest version."""

    name = fields.String()


class JudgeRunAsked(Schema):
    """Which version is asked about the items, and within which limits."""

    version_id = fields.UUID(required=True)
    calls_max = fields.Integer(strict=True, required=True)
    calls_a_minute_max = fields.Integer(strict=True, load_default=CALLS_A_MINUTE)


class JudgeRunShown(Schema):
    """A run over a job's items. answered, refused, malformed, failed: items; cached: of them, how
    many cost no call; calls_made: retries included."""

    id = fields.UUID()
    job_id = fields.UUID()
    version_id = fields.UUID(attribute="judge_version_id")
    state = fields.Enum(RunState, by_value=True)
    stopped_because = fields.String(allow_none=True)
    items = fields.Integer()
    answered = fields.Integer()
    refused = fields.Integer()
    malformed = fields.Integer()
    failed = fields.Integer()
    cached = fields.Integer()
    calls_made = fields.Integer()
    calls_max = fields.Integer()
    created_at = fields.AwareDateTime()
    finished_at = fields.AwareDateTime(allow_none=True)


class JudgeReportQuery(Schema):
    """Whose report; the newest of any where neither is given."""

    model = fields.String(load_default=None)
    version = fields.String(load_default=None)


class JudgeReportAsked(Schema):
    """Whose verdicts a report is made on. slice_key: a member of the items' metadata; margin: how
    far below experts the judge may agree and still stand alone."""

    model = fields.String(required=True)
    version = fields.String(load_default="")
    slice_key = fields.String(load_default="")
    margin = fields.Float(load_default=MARGIN)


class JudgeReportShown(Schema):
    """A report as it was made; it never changes. findings: one row for each dimension and slice
    ("" is all items), every figure with its 90 % interval and the number of items."""

    id = fields.UUID()
    job_id = fields.UUID()
    model = fields.String()
    version = fields.String()
    number = fields.Integer()
    slice_key = fields.String()
    items = fields.Integer()
    facts = fields.Dict()
    findings = fields.List(fields.Dict())
    sha256 = fields.Function(
        lambda report: report.findings_sha256.hex(), metadata={"type": "string"}
    )
    created_at = fields.AwareDateTime()


def _shown(version: JudgeVersion, **more: Any) -> dict[str, Any]:
    names = (
        "judge_id", "number", "model", "prompt", "aspects", "output_schema", "answer_format",
        "temperature", "top_p", "seed", "tokens_max", "both_orders", "created_at",
    )  # fmt: skip
    return {name: getattr(version, name) for name in names} | {
        "version_id": version.id,
        "prompt_sha256": version.prompt_sha256.hex(),
        "frozen_sha256": version.frozen_sha256.hex(),
        **more,
    }


@judges_api.post("/judges")
@needs(Permission.JOBS_EDIT)
@api.once
@judges_api.arguments(NewJudge)
@judges_api.response(201, JudgeVersionShown)
def post_judge(session: Session, asked: dict[str, Any]) -> dict[str, Any]:
    """Set up a judge with its first version."""
    name = asked.pop("name")
    return _shown(service.create_judge(session, me(), name=name, fields=asked))


@judges_api.get("/judges")
@needs(Permission.JOBS_VIEW)
@judges_api.arguments(api.PageQuery, location="query")
@judges_api.response(200, api.listing(JudgeListed))
def list_judges(asked: dict[str, Any]) -> dict[str, Any]:
    """The organisation's judges that are not retired, newest first, with their newest versions."""
    with transaction() as session:
        found = queries.judges_of(session, me(), after=asked["after"], limit=asked["limit"] + 1)
        rows = [_shown(each.version, name=each.judge.name) for each in found]
    return api.page(rows, limit=asked["limit"], key=lambda row: row["judge_id"])


@judges_api.patch("/judges/<uuid:judge_id>")
@needs(Permission.JOBS_EDIT)
@api.once
@judges_api.arguments(JudgeChange)
@judges_api.response(200, JudgeVersionShown)
def patch_judge(session: Session, asked: dict[str, Any], judge_id: UUID) -> dict[str, Any]:
    """Make the next version; the current one is answered where nothing is new."""
    return _shown(service.change_judge(session, me(), judge_id, asked))


@judges_api.post("/jobs/<uuid:job_id>/judge-runs")
@needs(Permission.JOBS_EDIT)
@api.once
@judges_api.arguments(JudgeRunAsked)
@judges_api.response(201, JudgeRunShown)
def post_run(session: Session, asked: dict[str, Any], job_id: UUID) -> JudgeRun:
    """Ask a judge about all items of a job, in the background; its verdicts become pre-labels."""
    return judge_runs.start_run(
        session,
        me(),
        judge_version_id=asked["version_id"],
        job_id=job_id,
        calls_max=asked["calls_max"],
        calls_a_minute_max=asked["calls_a_minute_max"],
    )


@judges_api.get("/judge-runs/<uuid:run_id>")
@needs(Permission.JOBS_VIEW)
@judges_api.response(200, JudgeRunShown)
def get_run(run_id: UUID) -> JudgeRun:
    """How far a run is."""
    with transaction() as session:
        return queries.run_of(session, me(), run_id)


@judges_api.post("/jobs/<uuid:job_id>/judge-report")
@needs(Permission.JOBS_VIEW)
@api.once
@judges_api.arguments(JudgeReportAsked)
@judges_api.response(201, JudgeReportShown)
def post_report(session: Session, asked: dict[str, Any], job_id: UUID) -> JudgeReport:
    """Make a report as things stand; the newest is answered where nothing has changed."""
    return judge_reports.make_report(session, me(), job_id, **asked)


@judges_api.get("/jobs/<uuid:job_id>/judge-report")
@needs(Permission.JOBS_VIEW)
@judges_api.arguments(JudgeReportQuery, location="query")
@judges_api.response(200, JudgeReportShown)
def get_report(asked: dict[str, Any], job_id: UUID) -> JudgeReport:
    """The newest report on a judge in a job."""
    with transaction() as session:
        for each in queries.reports_of_job(session, me(), job_id):
            if asked["model"] in (None, each.model) and asked["version"] in (None, each.version):
                return each
    raise Missing("There is no report yet. POST to this address makes one.")
