"""What every page of appeals shows, in words and in facts, whoever reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from marketplace import clock
from marketplace.review.models import Appeal
from marketplace.review.queries import AppealView
from marketplace.review.rules import OPEN_APPEALS, AppealState, appeals
from marketplace.work.rules import judgement_for_author

# What its author reads of each state: tone, icon, words.
BADGES: Mapping[AppealState, tuple[str, str, str]] = {
    AppealState.FILED: ("active", "send", "Filed"),
    AppealState.ASSIGNED: ("active", "eye", "Being looked at"),
    AppealState.UPHELD: ("good", "circle-check", "Upheld"),
    AppealState.DENIED: ("neutral", "circle-x", "Not upheld"),
    AppealState.WITHDRAWN: ("neutral", "undo-2", "Withdrawn"),
    AppealState.LAPSED: ("good", "calendar-clock", "Ended in the author's favour"),
    AppealState.OVERTAKEN: ("neutral", "shield-check", "Decided otherwise meanwhile"),
}
_ENDED = {
    AppealState.UPHELD: ("gavel", "Upheld: the decision is overturned", "good"),
    AppealState.DENIED: ("gavel", "Not upheld: the decision stands", ""),
    AppealState.WITHDRAWN: ("undo-2", "Withdrawn by its author", ""),
    AppealState.LAPSED: (
        "calendar-clock",
        "Not decided in time: ended in its author's favour",
        "good",
    ),
    AppealState.OVERTAKEN: ("shield-check", "The decision was overturned otherwise", ""),
}
Moment = tuple[str, str, datetime, str, str]


def timeline(appeal: Appeal) -> Sequence[Moment]:
    """What happened to an appeal, oldest first, as `ui.timeline` shows it; nobody is named."""
    found: list[Moment] = [("send", "Filed", appeal.filed_at, "the author", "")]
    if appeal.statement_at is not None:
        found.append(("message-square", "The lab said its side", appeal.statement_at, "", ""))
    if appeal.assigned_at is not None and appeal.assigned_to is not None:
        found.append(("eye", "Taken up by operations", appeal.assigned_at, "", ""))
    if appeal.ended_at is not None:
        icon, words, tone = _ENDED[appeal.state]
        found.append((icon, words, appeal.ended_at, "", tone))
    return sorted(found, key=lambda each: each[2])


def shown(view: AppealView) -> dict[str, Any]:
    """The facts of one appeal for its page: the appeal, and the answer beside the decision."""
    appeal, evidence = view.row.appeal, dict(view.evidence or {})
    given = {"rationale_claims": [], "references": [], "ai_use": None, "spent": []} | evidence
    decision = evidence.get("decision")
    return {
        "view": view,
        "row": view.row,
        "job": view.row.job,
        "appeal": appeal,
        "badge": BADGES[appeal.state],
        "moments": timeline(appeal),
        "is_open": appeal.state in OPEN_APPEALS,
        "is_overdue": appeal.ended_at is None and appeal.decide_by <= clock.now(),
        "statement_due": appeals.statement_due(appeal.filed_at),
        "may_decide_from": None
        if appeal.statement_at or appeals.statement_due(appeal.filed_at) <= clock.now()
        else appeals.statement_due(appeal.filed_at),
        "evidence": evidence or None,
        "decided_at": datetime.fromisoformat(decision["decided_at"]) if decision else None,
        "given": given,
        "judgement": judgement_for_author(evidence.get("judgement")),
        "kind": view.row.job.task_type,
        "payload": {name: part for name, part in view.payload.items() if name != "metadata"}
        if view.payload is not None
        else None,
        "task_template": view.template,
        "prelabels": [],
    }
