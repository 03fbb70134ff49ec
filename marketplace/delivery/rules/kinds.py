"""The public catalogue of events: stable names, what each says, and the facts it carries. Pure.

Slices announce what they like; what stands here is what programs of labs and specialists may rely
on. A kind that is announced and stands neither in KINDS nor in INTERNAL fails the build.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from marketplace.delivery.rules.kind_facts import FACTS
from marketplace.errors import Fault, Faulty

TEST = "endpoint.test"


class Reader(StrEnum):
    """In whose feed a kind stands."""

    LAB = "lab"
    SPECIALIST = "specialist"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class KindText:
    """A public kind. sources: the names under which slices announce it; facts: names that FACTS
    explains, each of which may be absent."""

    kind: str
    title: str
    says: str
    facts: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    reader: Reader = Reader.LAB

    @property
    def group(self) -> str:
        """What it is about: the part of its name before the first point."""
        return self.kind.partition(".")[0]


_MONEY = ("amount_minor", "currency")
_ANSWER = ("task_id", "round", "overturned")
_PAYOUT = ("run_id", *_MONEY)
_INVOICE = ("reference", "gross_minor", "currency", "kind")
_APPEAL = ("submission_id", "subject")
_BOTH, _OWN = Reader.BOTH, Reader.SPECIALIST
_K = KindText
_JOBS = (
    _K("job.created", "Job created", "Somebody began a job; it is a draft.", ("reference",)),
    _K("job.published", "Job published", "Its money is reserved and its seats are open.",
       ("items",)),
    _K("job.paused", "Job paused", "Nothing more is handed out for now; `reason` says why.",
       ("reason",)),
    _K("job.resumed", "Job resumed", "A paused job hands out work again."),
    _K("job.completed", "Job completed",
       "The last of its tasks is final. Items that are added later open it again, and it is said "
       "once more.", ("tasks",)),
    _K("job.closed", "Job closed", "It is over for good; what was left of its money is free."),
    _K("job.changed", "Job changed",
       "Something of it changed: `fields` names what, among them its state, its instructions "
       "and its template's version.", ("fields", "state", "reason", "version")),
    _K("job.items_added", "Items added", "Items came in over the API or a file.",
       ("accepted", "duplicates", "rejected")),
    _K("job.item_retired", "Item retired", "An item is used no more.", ("item_id",)),
    _K("pipeline.done", "Pipeline done", "Every stage of a job's pipeline has ended."),
    _K("import.finished", "Import finished", "A file was read to its end.",
       ("import_id", "accepted", "duplicates", "rejected"), ("job.import_finished",)),
    _K("import.failed", "Import failed", "A file could not be read; nothing more of it comes in.",
       ("import_id",), ("job.import_failed",)),
)  # fmt: skip
_TASKS = (
    _K("task.submitted", "Answer submitted", "A specialist answered a task.",
       ("task_id", "counted", "commitment")),
    _K("task.accepted", "Answer accepted", "An answer was accepted, and earned its pay.",
       _ANSWER, ("task.accepted", "task.surplus_accepted"), _BOTH),
    _K("task.rejected", "Answer rejected", "An answer was rejected; its seat is open again.",
       _ANSWER, ("task.rejected", "task.surplus_rejected"), _BOTH),
    _K("task.returned", "Answer returned for rework",
       "An answer went back to its author, who may mend it.", _ANSWER, ("task.rework",), _BOTH),
    _K("task.completed", "Task completed", "All judgements that a task wants are accepted.",
       ("judgements",)),
    _K("task.contested", "Task contested", "Accepted answers differ too much; a third decides.",
       ("units",)),
    _K("task.adjudicated", "Task adjudicated", "A third person settled what was contested.",
       ("units",)),
    _K("task.appealed", "Decision appealed", "A specialist asks for another look.", _APPEAL,
       ("appeal.filed",), _BOTH),
    _K("task.appeal_decided", "Appeal decided",
       "`state` says how: upheld, denied, withdrawn, lapsed or overtaken.", ("state", *_APPEAL),
       ("appeal.upheld", "appeal.denied", "appeal.withdrawn", "appeal.lapsed",
        "appeal.overtaken"), _BOTH),
    _K("task.cannot_complete", "Task cannot be answered",
       "A specialist says that an item cannot be judged.", ("outcome_id",)),
    _K("task.guideline_gap", "Question about the instructions",
       "A specialist says what the instructions leave open.", ("outcome_id",)),
    _K("task.gap_answered", "Question answered", "The instructions answer it now.",
       ("outcome_id",)),
    _K("task.dropped", "Task dropped", "Nobody can answer it; nobody is asked any more.",
       ("outcome_id",)),
)  # fmt: skip
_QUALITY = (
    _K("quality.rule_fired", "Rule of quality fired", "A rule took an action, or proposes one.",
       ("rule_id", "action")),
    _K("gold.disputed", "Gold disputed", "A specialist says that a known answer is wrong.",
       ("item_id",), ("gold.disputed",)),
    _K("gold.alarm", "Alarm over gold", "Known answers are missed too often or too alike.",
       ("kind",)),
    _K("qualification.scored", "Qualification scored", "Somebody ended an attempt.",
       ("attempt", "form", "passed"), (), _BOTH),
)  # fmt: skip
_FILES = (
    _K("export.done", "Export done", "Its file can be downloaded.", ("rows", "sha256")),
    _K("export.failed", "Export failed", "Its file could not be made.", ("failure",)),
    _K("export.delivered", "Export delivered", "Its file lies in your bucket.",
       ("bytes", "sha256")),
)  # fmt: skip
_BUDGET = (
    _K("budget.low", "Balance low", "What is available fell below the amount that you set.",
       ("available_minor", "low_minor", "currency", "days_left")),
    _K("budget.ended", "Money ended", "A job paused, since nothing is left to pay for it.",
       ("reason",)),
    _K("budget.limit_reached", "Spend limit reached",
       "A job paused at a limit that your own people set.", ("reason",)),
    _K("budget.top_up_arrived", "Top-up arrived", "A top-up is in your balance.", _MONEY,
       ("top_up.posted",)),
    _K("budget.top_up_failed", "Top-up failed", "`state` says how it ended.",
       ("state", *_MONEY), ("top_up.failed", "top_up.expired", "top_up.returned")),
    _K("budget.refund_ended", "Refund ended", "`state` says how: sent, refused, returned.",
       ("state", *_MONEY),
       ("refund.sent", "refund.refused", "refund.returned", "refund.cancelled")),
    _K("budget.payment_applied", "Payment applied", "Money that came in settled an invoice.",
       _MONEY, ("cash.applied",)),
    _K("budget.bonus_given", "Bonus given", "A bonus was paid on top of an answer's price.",
       ("submission_id", *_MONEY), ("bonus.given",), _BOTH),
    _K("invoice.issued", "Invoice issued", "An invoice or a credit note is there.", _INVOICE,
       ("invoice.issued", "invoice.open")),
    _K("invoice.paid", "Invoice paid", "Nothing of it is open any more.", _INVOICE,
       ("invoice.paid",)),
    _K("invoice.void", "Invoice taken back", "A credit note took it back.", _INVOICE,
       ("invoice.void",)),
    _K("dispute.changed", "Payment disputed", "A card's holder disputes a payment of yours.",
       ("state", *_MONEY),
       tuple(f"dispute.{state}" for state in ("inquiry", "open", "won", "lost", "closed"))),
)  # fmt: skip
_HOOKS = (
    _K("endpoint.disabled", "Webhook switched off",
       "We stopped telling one of your webhooks, as it failed; `reason` says how.", ("reason",)),
)  # fmt: skip
_PEOPLE = (
    _K("payout.sent", "Payout sent", "Your pay is on its way to your account.", _PAYOUT,
       ("payout.transferred",), _OWN),
    _K("payout.failed", "Payout failed", "It was not taken; the amount is yours again.", _PAYOUT,
       ("payout.rejected", "payout.bank_failed"), _OWN),
    _K("payout.reversed", "Payout taken back", "All or some of it was taken back.", _PAYOUT, (),
       _OWN),
    _K("payout.arrived", "Payout arrived", "Your bank has it.", _PAYOUT, ("payout.bank_paid",),
       _OWN),
    _K("credential.changed", "Credential changed", "`state` says what holds from now on.",
       ("state", "level"), (), _OWN),
)  # fmt: skip
KINDS: Mapping[str, KindText] = {
    each.kind: each for each in (*_JOBS, *_TASKS, *_QUALITY, *_FILES, *_BUDGET, *_HOOKS, *_PEOPLE)
}
# By the name under which a slice announces it.
PUBLIC: Mapping[str, KindText] = {
    source: each for each in KINDS.values() for source in each.sources or (each.kind,)
}
# Announced, and nobody's business outside: by the name or, with a point at its end, its beginning.
INTERNAL: Mapping[str, str] = {
    "task.seat_opened": "how many people are asked is our own bookkeeping",
    "task.opted_out": "why a person left a task is between them and us",
    "task.in_review": "a step on the way to a decision, which is told",
    "appeal.assigned": "a step on the way to a decision, which is told",
    "top_up.requested": "the lab did it itself a moment ago",
    "top_up.checkout_open": "the lab did it itself a moment ago",
    "top_up.settling": "a step on the way to its arrival, which is told",
    "top_up.clearing": "a step on the way to its arrival, which is told",
    "refund.asked": "the lab did it itself a moment ago",
    "refund.ready": "a step on the way to its end, which is told",
    "refund.sending": "a step on the way to its end, which is told",
    "refund.unknown": "a step on the way to its end, which is told",
    "refund.pending": "a step on the way to its end, which is told",
    "invoice.partly_paid": "payments are told as they are applied",
    "submission.judge_fault": "a judge's faults are read in its report",
    "export.requested": "marks a place in the job's chain",
    "gold.changed": "marks a place in the job's chain",
    "payout.draft": "a run's own step; its lines are told once they are sent",
    "payout.approved": "a run's own step; its lines are told once they are sent",
    "payout.submitting": "a run's own step; its lines are told once they are sent",
    "payout.unknown": "we look until we know, and tell that",
    "payout.cancelled": "what is not sent stays the person's; the run says why",
    "payout.frozen": "finance looks at it; the person is written to",
    "payout.bank_pending": "a step on the way to its arrival, which is told",
    "payouts.": "the desk's own gate",
    "payout_run.": "finance's own work",
    "payout_schedule.": "finance's own work",
    "payout_reversal.": "finance's own work",
    "bank_payout.": "finance's own work; the line that it belongs to is told",
    "payee.": "finance's own work",
    "payee_hold.": "finance's own work",
    "pay_hold.": "operations' own work; the person is written to",
    "tax_form.": "finance's own work; the person is written to",
    "tax_remittance.": "finance's own work",
    "sanction_hit.": "operations' own work",
    "list.": "operations' own work",
}


def is_internal(source: str) -> bool:
    """Whether a kind is announced for ourselves only."""
    return source in INTERNAL or f"{source.partition('.')[0]}." in INTERNAL


def public_kind(source: str) -> str:
    """The public name of what a slice announced; LookupError for what is internal."""
    return PUBLIC[source].kind


def public_facts(source: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The documented facts alone. `state` is read from the announced name where it lies there."""
    told = PUBLIC[source]
    found = {name: facts[name] for name in told.facts if name in facts}
    if "state" in told.facts and "state" not in found:
        found["state"] = source.partition(".")[2]
    return found


def sources_of(kinds: Iterable[str]) -> list[str]:
    """The announced names behind public kinds, or behind all where none is given.

    A kind such as `task.*` means all of its group. Faulty at /kinds for one that does not exist.
    """
    wanted, faults = set(), []
    for at, kind in enumerate(kinds):
        found = matching(kind)
        wanted |= {source for each in found for source in each.sources or (each.kind,)}
        if not found:
            faults.append(Fault(f"/kinds/{at}", f"There is no kind of event “{kind}”."))
    if faults:
        raise Faulty("Choose among the kinds of events that there are.", faults)
    return sorted(wanted or PUBLIC)


def matching(kind: str) -> list[KindText]:
    """The kinds that a name, or a group such as `task.*`, stands for; none for an unknown one."""
    if kind.endswith(".*"):
        return [each for each in KINDS.values() if each.group == kind[:-2]]
    return [KINDS[kind]] if kind in KINDS else []


def facts_of(kind: KindText) -> list[tuple[str, str, str]]:
    """(name, type, meaning) of each fact that a kind may carry."""
    return [(name, *FACTS[name]) for name in kind.facts]
