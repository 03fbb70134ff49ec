"""Judges in a job: asking one about its items, the reports, and checks of later runs."""

from __future__ import annotations

import csv
import io
from typing import Any
from uuid import UUID

import orjson
from flask import Blueprint, flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.jobs import queries as jobs
from marketplace.quality.models import JudgeReport
from marketplace.quality.queries import judge_ratings
from marketplace.quality.queries import judges as queries
from marketplace.quality.rules.judges.runs import CALLS_A_MINUTE
from marketplace.quality.rules.judges.standing import MARGIN
from marketplace.quality.service import judge_reports as service
from marketplace.quality.service import judge_runs
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.labs import judge_words, shown

reports = Blueprint("lab_judge_reports", __name__, url_prefix="/lab")


class AskForm(Form):
    """Which judge is asked, and how much it may cost."""

    judge = fields.String(load_default="")
    calls_max = fields.Integer(load_default=1_000)
    calls_a_minute_max = fields.Integer(load_default=CALLS_A_MINUTE)


class ReportForm(Form):
    """Whose report is made, and how it is sliced."""

    model = fields.String(required=True)
    version = fields.String(load_default="")
    slice_key = fields.String(load_default="")
    margin = fields.Float(load_default=MARGIN)


def _facts() -> dict[str, Any]:
    job_id = (request.view_args or {})["job_id"]
    with transaction() as session:
        job = jobs.job_of(session, me(), job_id)
        rows = queries.judges_of(session, me(), limit=queries.LIMIT_MAX)
        runs = queries.runs_of_job(session, me(), job_id)
        names = queries.judge_names(session, me(), [each.judge_version_id for each in runs])
        return shown.job_facts(job, "judges") | {
            "spoken": queries.spoken_in(session, me(), job_id),
            "reports": queries.reports_of_job(session, me(), job_id),
            "runs": runs,
            "names": names,
            "judges": [
                (str(each.version.id), f"{each.judge.name}, version {each.version.number}")
                for each in rows
            ],
            "slice_keys": [
                ("", "no slices"),
                *((key, key) for key in judge_ratings.slice_keys(session, job)),
            ],
            "calls_usual": max(job.item_count * 2 * 2, 1),
            "calls_a_minute": CALLS_A_MINUTE,
            "margin": MARGIN,
            "words": judge_words,
        }  # fmt: skip


@reports.get("/jobs/<uuid:job_id>/judges")
@needs(Permission.JOBS_VIEW)
def of_job(job_id: UUID) -> str:
    """Who gave verdicts on a job's items, what is asked now, and the reports."""
    del job_id  # Read from the request, as after a faulty form.
    return render_template("labs/job_judges.html", **_facts())


@reports.post("/jobs/<uuid:job_id>/judges/ask")
@needs(Permission.JOBS_EDIT)
@form_page("labs/job_judges.html", _facts)
def ask(job_id: UUID) -> Response:
    """Ask a judge about all items of a job, in the background."""
    asked = load(AskForm)
    version = parse_id(asked["judge"])
    if version is None:
        raise Faulty("Choose a judge.", [Fault("/judge", "Choose one of your judges.")])
    with transaction() as session:
        run = judge_runs.start_run(
            session,
            me(),
            judge_version_id=version,
            job_id=job_id,
            calls_max=asked["calls_max"],
            calls_a_minute_max=asked["calls_a_minute_max"],
        )
    return redirect(url_for("lab_judge_reports.run", run_id=run.id), code=303)


@reports.post("/jobs/<uuid:job_id>/judges/report")
@needs(Permission.JOBS_VIEW)
@form_page("labs/job_judges.html", _facts)
def make(job_id: UUID) -> Response:
    """Make a report as things stand."""
    asked = load(ReportForm)
    with transaction() as session:
        report = service.make_report(session, me(), job_id, **asked)
    return redirect(url_for("lab_judge_reports.show", report_id=report.id), code=303)


@reports.get("/judge-runs/<uuid:run_id>")
@needs(Permission.JOBS_VIEW)
def run(run_id: UUID) -> str:
    """How far a run is, and what failed."""
    with transaction() as session:
        found = queries.run_of(session, me(), run_id)
        job = jobs.job_of(session, me(), found.job_id)
        name = queries.judge_names(session, me(), [found.judge_version_id])
        failing = queries.failing_of(session, me(), run_id)
        facts = shown.job_facts(job, "judges")
    settled = found.answered + found.refused + found.malformed + found.failed
    return render_template(
        "labs/judge_run.html",
        run=found,
        name=name[found.judge_version_id],
        failing=failing,
        settled=settled,
        words=judge_words,
        **facts,
    )


@reports.post("/judge-runs/<uuid:run_id>/stop")
@needs(Permission.JOBS_EDIT)
def stop(run_id: UUID) -> Response:
    """Ask nothing more for now."""
    with transaction() as session:
        judge_runs.stop_run(session, me(), run_id)
    flash("It is asked nothing more. What it said stays.", "good")
    return redirect(url_for("lab_judge_reports.run", run_id=run_id), code=303)


class ResumeForm(Form):
    """How many calls are allowed in all."""

    calls_max = fields.Integer(load_default=None)


@reports.post("/judge-runs/<uuid:run_id>/resume")
@needs(Permission.JOBS_EDIT)
def resume(run_id: UUID) -> Response:
    """Go on where it stopped."""
    asked = load(ResumeForm)
    with transaction() as session:
        judge_runs.resume_run(session, me(), run_id, calls_max=asked["calls_max"])
    return redirect(url_for("lab_judge_reports.run", run_id=run_id), code=303)


@reports.get("/judge-reports/<uuid:report_id>")
@needs(Permission.JOBS_VIEW)
def show(report_id: UUID) -> str:
    """A report, to read and to print."""
    with transaction() as session:
        report = queries.report_of(session, me(), report_id)
        job = jobs.job_of(session, me(), report.job_id)
        checks = queries.checks_of_report(session, me(), report_id)
        version = (
            queries.version_of(session, me(), report.judge_version_id)
            if report.judge_version_id
            else None
        )
    return render_template(
        "labs/judge_report.html",
        report=report,
        job=job,
        checks=checks,
        version=version,
        words=judge_words,
        whole=[each for each in report.findings if each["slice"] == ""],
        sliced=[each for each in report.findings if each["slice"] != ""],
        plot=judge_words.agreement_plot(report),
        reliability=list(judge_words.reliability_plots(report)),
    )


@reports.post("/judge-reports/<uuid:report_id>/check")
@needs(Permission.JOBS_EDIT)
def check(report_id: UUID) -> Response:
    """Ask the judge about the report's items anew."""
    with transaction() as session:
        started = judge_runs.start_check(session, me(), report_id)
    return redirect(url_for("lab_judge_reports.run", run_id=started.id), code=303)


@reports.get("/judge-reports/<uuid:report_id>/json")
@needs(Permission.JOBS_VIEW)
def as_json(report_id: UUID) -> Response:
    """The report as JSON."""
    with transaction() as session:
        report = queries.report_of(session, me(), report_id)
    body = orjson.dumps(document(report), option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)
    return _file(body, f"judge-report-{report.number}.json", "application/json")


def document(report: JudgeReport) -> dict[str, Any]:
    """A report as its file says it."""
    return {
        "job_id": str(report.job_id),
        "model": report.model,
        "version": report.version,
        "number": report.number,
        "made_at": report.created_at.isoformat(),
        "slice_key": report.slice_key,
        "items": report.items,
        "facts": report.facts,
        "findings": report.findings,
        "sha256": report.findings_sha256.hex(),
    }


@reports.get("/judge-reports/<uuid:report_id>/csv")
@needs(Permission.JOBS_VIEW)
def as_csv(report_id: UUID) -> Response:
    """The report's table as CSV."""
    with transaction() as session:
        report = queries.report_of(session, me(), report_id)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(judge_words.COLUMNS)
    writer.writerows(judge_words.csv_rows(report.findings))
    return _file(text.getvalue().encode(), f"judge-report-{report.number}.csv", "text/csv")


def _file(body: bytes, name: str, mimetype: str) -> Response:
    answer = Response(body, mimetype=mimetype)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
