"""One's own skill, how it moved and what taught it; and all that was said of one's work."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from markupsafe import Markup

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ids import DecisionId, JobId, parse_id
from marketplace.quality import queries as quality
from marketplace.quality.queries import SkillShown
from marketplace.quality.rules.evidence import Drift, EvidenceSource
from marketplace.review import queries as review
from marketplace.review.queries import RemarkFilters
from marketplace.review.rules import Severity, Verdict
from marketplace.tasktypes import TASK_TYPES
from marketplace.web import quality_plots
from marketplace.web.filters import count, percent
from marketplace.web.guards import me, needs
from marketplace.web.quality_plots import Line, Mark
from marketplace.web.specialists.blueprint import specialists

PAGE = 30
SOURCES = {
    EvidenceSource.REVIEW: "A reviewer",
    EvidenceSource.GOLD: "Known answers, together",
    EvidenceSource.QUALIFICATION: "A qualification",
    EvidenceSource.CONSENSUS: "Others who judged the same items",
    EvidenceSource.APPEAL: "An appeal",
}
VERDICTS = {
    Verdict.ACCEPT: "Accepted",
    Verdict.REWORK: "Sent back",
    Verdict.REJECT: "Rejected",
}


@specialists.get("/skill")
@needs(Permission.WORK_DO)
def skill() -> str:
    """Each of one's skills over time, with its interval and what taught it."""
    with transaction() as session:
        skills = quality.skill_history(session, me())
    return render_template("specialists/skill.html", skills=[told(each) for each in skills])


def told(each: SkillShown) -> dict[str, Any]:
    """A skill as a page tells it."""
    name = TASK_TYPES[each.task_type].title if each.task_type in TASK_TYPES else each.task_type
    return {
        "skill": each,
        "title": f"{each.domain.replace('_', ' ').capitalize()}: {name.lower()}",
        "plot": over_time(each),
        "drift": drift_words(each.drift),
        "evidence": [(SOURCES[one.source], one) for one in each.evidence],
    }


def over_time(each: SkillShown) -> Markup:
    """The skill day by day, with the interval that holds 90 %."""
    marks = [
        Mark(day.on_date.toordinal(), day.mean, f"{day.on_date:%-d %b %Y}", day.lower, day.upper)
        for day in each.days
    ]
    return quality_plots.curves(
        "How often your answers were found right",
        [Line("Skill", marks)],
        words=lambda value: percent(value, 0),
        measure="Found right",
        whole=True,
    )


def drift_words(drift: Drift | None) -> str:
    """Whether the latest work was found better or worse than the rest, in kind words."""
    if drift is None:
        return ""
    latest = f"Your latest {count(drift.recent_n, 'reviewed piece of work', 'reviewed pieces')}"
    points = f"{abs(drift.difference) * 100:.0f} points"
    if not drift.moved:
        return f"{latest} did about as well as the rest; nothing to see here but chance."
    if drift.difference > 0:
        return f"{latest} did better than the rest, by about {points}. It shows."
    return (
        f"{latest} agreed less with reviewers than the rest, by about {points}. That may be the "
        "tasks or the reviewers as much as you. What they said is linked below, and a rejection "
        "that you find wrong can be appealed."
    )


@specialists.get("/remarks")
@needs(Permission.WORK_DO)
def remarks() -> str:
    """All that people said of one's work, with the way to appeal, newest first."""
    asked = _asked()
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        found = review.remarks_of(
            session,
            me(),
            filters=filters_of(asked),
            after=DecisionId(after) if after else None,
            limit=PAGE + 1,
        )
        rows = found[:PAGE]
        ids = [one.submission_id for one in rows]
        facts = {
            "until": review.appealable_until(session, ids),
            "appealed": review.appeals_of(session, ids),
            "jobs": review.remarked_jobs(session, me()),
        }
    return render_template(
        "specialists/remarks.html",
        rows=rows,
        asked=asked,
        after=after,
        last=rows[-1].id if len(found) > PAGE else None,
        verdicts=VERDICTS,
        severities=[(each.value, each.value.title()) for each in Severity],
        **facts,
    )


def _asked() -> dict[str, str]:
    """What the address asks for, of what can be asked."""
    args = request.args
    found = {
        "job": str(parse_id(args.get("job", "")) or ""),
        "verdict": args.get("verdict", "") if args.get("verdict") in set(Verdict) else "",
        "severity": args.get("severity", "") if args.get("severity") in set(Severity) else "",
    }
    return {name: value for name, value in found.items() if value}


def filters_of(asked: dict[str, str]) -> RemarkFilters:
    """The remarks that an address asks for."""
    job_id = parse_id(asked.get("job", ""))
    return RemarkFilters(
        job_id=JobId(job_id) if job_id else None,
        verdict=Verdict(asked["verdict"]) if "verdict" in asked else None,
        severity=Severity(asked["severity"]) if "severity" in asked else None,
    )
