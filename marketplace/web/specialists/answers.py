"""An answer in the workbench's form: flat fields to an answer, a draft's content, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict

from marketplace.errors import Fault, Faulty
from marketplace.tasktypes import task_type
from marketplace.web.specialists import envelope_form
from marketplace.work.models import Submission
from marketplace.work.queries import ClaimView
from marketplace.work.rules import INTERVALS_A_BEAT_MAX, Interval, IntervalKind
from marketplace.work.rules.envelope import NOTE_LENGTH_MAX

_ABSENT = "is missing. Add it."
_TO_RANK = "Rank these too:"
WANTED: Mapping[str, str] = {
    "choice": "Say which answer is better.",
    "ratings": "Give every aspect its score.",
    "messages": "Write the answer that should have been given.",
    "claims": "Judge at least one claim.",
    "spans": "Mark what the labels are for, or say that there is nothing to mark.",
    "verdict": "Give your verdict.",
    "severity": "Say how bad it is.",
    "path": "Name the file that the comment is about.",
    "line": "Name the line that the comment is about.",
    "body": "Write the comment.",
    "start": "Copy the claim's words from the answer, letter for letter.",
    "end": "Copy the claim's words from the answer, letter for letter.",
    "tiers": "Give every answer its place.",
    "rubrics": "Write at least one criterion.",
    "violates": "Say whether the answer goes against this principle.",
    "attack_success": "Say how far the attack got.",
    "findings": "Say of each principle whether the answer goes against it.",
}


def read(view: ClaimView) -> dict[str, Any]:
    """The answer that the form describes; it may be unfinished."""
    # PostgreSQL keeps no NUL in texts, and no keyboard types one.
    form = MultiDict(
        (name, text.replace("\0", "")) for name, text in request.form.items(multi=True)
    )
    kind = task_type(view.job.task_type)
    judgement = kind.from_form(form, view.template, view.payload)
    return {"judgement": judgement} | envelope_form.read(form)


def values(view: ClaimView, content: Mapping[str, Any]) -> dict[str, str]:
    """The fields that show an answer: the judgement's, and those that stand beside it."""
    kind = task_type(view.job.task_type)
    return kind.to_form(content.get("judgement")) | envelope_form.write(content)


def content_of(former: Submission) -> dict[str, Any]:
    """A submission as the content of a draft, to go on from when it came back."""
    return {
        "judgement": former.judgement,
        "rationale": former.rationale,
        "confidence": former.confidence,
        "references": former.references,
        "ai_use": former.ai_use,
        "rationale_claims": former.rationale_claims,
        "flags": former.flags,
    }


def faults_in_words(view: ClaimView, faults: Iterable[Fault]) -> list[tuple[str, str]]:
    """Faults as (name of the field, what to do), in the words of who reads the form.

    The checks speak of the judgement's own parts, for programs; the form shows letters and bars.
    """
    letters = {slot: chr(ord("A") + at) for at, slot in enumerate(view.claim.presented_order)}
    named = []
    for fault in faults:
        name = fault.pointer.removeprefix("/judgement").strip("/").replace("/", ".")
        words = WANTED.get(name.rpartition(".")[2], fault.message)
        if fault.message.endswith(_ABSENT) or name == "messages":
            named.append((name, words))
        elif fault.message.startswith(_TO_RANK):
            slots = fault.message.removeprefix(_TO_RANK).strip(" .").split(", ")
            answers = ", ".join(letters.get(slot, slot) for slot in slots)
            named.append((name, f"Give these answers a place too: {answers}."))
        else:
            named.append((name, fault.message))
    return named


def fence() -> int:
    """The fence that the form carries; Faulty without one."""
    text = request.form.get("fence", "")
    if not text.isascii() or not text.isdigit():
        raise Faulty("The form is incomplete.", [Fault("/fence", "Load the task again.")])
    return int(text)


def sent_intervals() -> list[Interval]:
    """The stretches of time that came with a submission since the last heartbeat."""
    try:
        return intervals(json.loads(request.form.get("intervals") or "[]"))
    except (ValueError, RecursionError):
        return []


def time_notes() -> list[Interval]:
    """What the author says of stretches of their time; what cannot be read is left out."""
    try:
        return [each for each in intervals(_read_json("time_notes")) if each.note]
    except (ValueError, RecursionError):
        return []


def _read_json(name: str) -> Any:
    return json.loads(request.form.get(name, "").replace("\0", "") or "[]")


def _note(stretch: Mapping[str, Any]) -> str | None:
    note = stretch.get("note")
    return note.strip()[:NOTE_LENGTH_MAX] or None if isinstance(note, str) else None


def intervals(sent: object) -> list[Interval]:
    """The stretches of time that the page reports; what cannot be read is left out."""
    if not isinstance(sent, list):
        return []
    found = []
    for each in sent[:INTERVALS_A_BEAT_MAX]:
        try:
            started = datetime.fromisoformat(each["started_at"])
            ended = datetime.fromisoformat(each["ended_at"])
            kind = IntervalKind(each["kind"])
        except (KeyError, TypeError, ValueError):
            continue
        if started.tzinfo and ended.tzinfo and started < ended:
            found.append(Interval(kind, started, ended, _note(each)))
    return found
