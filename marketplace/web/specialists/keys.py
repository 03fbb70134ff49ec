"""The keys of the workbench in words, and the page on which a person moves them.

FRAME_KEYS are those of every task; each type adds its own to TYPE_KEYS, by the default key that
its template's `data-key` names. A digit stands for whatever the lab has put in that place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import flash, render_template, request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.tasktypes import TASK_TYPES
from marketplace.web.forms import form_page
from marketplace.web.guards import me, needs
from marketplace.web.specialists.blueprint import specialists
from marketplace.work import queries, service
from marketplace.work.rules.keys import MOVABLE

FRAME_KEYS: Mapping[str, str] = {
    "r": "Why",
    "e": "A reason with evidence",
    "i": "Instructions",
    "f": "Find in the instructions",
    "l": "Looking things up, on and off",
    "h": "Saved revisions",
    "q": "This cannot be answered",
    "g": "The instructions have a gap",
}
_DIGITS = {str(digit): f"The choice numbered {digit}" for digit in range(10)}
TYPE_KEYS: Mapping[str, Mapping[str, str]] = {
    "regions": {
        "v": "Select",
        "b": "Draw boxes",
        "p": "Draw polygons",
        "o": "Set points",
        "m": "Nothing to mark",
        "n": "A new region in the middle",
        "s": "Arrows move or change the size",
        "c": "The next corner",
        "a": "Add a corner",
        "x": "Delete the region",
        "z": "Undo",
        "y": "Redo",
        "-": "Smaller",
        "=": "Larger",
        ",": "Narrower window",
        ".": "Wider window",
        ";": "Brighter",
        "'": "Darker",
        **_DIGITS,
    },
    "trajectory": {
        "j": "The next step",
        "k": "The step before",
        "1": "Wrong",
        "2": "Neutral",
        "3": "Right, and on",
        "4": "It failed",
        "5": "It went with detours",
        "6": "It went nearly directly",
        "7": "It went directly",
        "x": "The first error is here",
        "t": "The tool was wrong, or right",
        "a": "The arguments were wrong, or right",
        "s": "Not grounded, or grounded",
        "m": "This is an error",
        "b": "Back on track after the last error",
        "p": "Wrong only because of an earlier error",
        "o": "Show all of the step, or less",
        "c": "Take the step as evidence",
        "/": "Search the steps",
        "[": "The flagged step before",
        "]": "The next flagged step",
        "y": "The goal is reached",
        "n": "The goal is not reached",
        "u": "Whether it is reached cannot be told",
    },
    "pairwise": {
        "a": "Answer A is better",
        "t": "A tie",
        "b": "Answer B is better",
        "n": "Both are bad",
        "0": "Barely better",
        "1": "Slightly better",
        "2": "Clearly better",
        "3": "Much better",
        "d": "Differences",
        "s": "Scroll together",
    },
    "ranking": {
        "j": "The next answer",
        "k": "The answer before",
        "x": "It cannot be ranked",
        **_DIGITS,
    },
    "rubric": {
        "j": "The next aspect",
        "k": "The aspect before",
        "n": "It is not applicable",
        **_DIGITS,
    },
    "demonstration": {"w": "Write"},
    "fact_check": {
        "c": "Make the selection a claim",
        "s": "Quote what is selected in a source",
        "v": "The answer is correct",
        "x": "The answer is incorrect",
        "n": "The answer was not attempted",
        **_DIGITS,
    },
    "spans": {"k": "Relate two spans", **_DIGITS},
    "rubric_writing": {"n": "A new criterion", "w": "Write the answer that meets them"},
    "code": {
        "j": "The next change",
        "k": "The change before",
        "]": "The next file",
        "[": "The file before",
        "o": "Fold the file, or show it",
        "c": "Comment on the line",
        "w": "Comment on the whole file",
        "1": "A blocker",
        "2": "A major comment",
        "3": "A minor comment",
        "4": "A nit",
        "s": "Suggest other code",
        "n": "The next comment",
        "b": "The comment before",
        "t": "Take the line as evidence",
        "p": "Write a patch",
        "a": "Approve",
        "v": "Comment only",
        "x": "Request changes",
    },
    "red_team": {
        "v": "Show what is hidden, or hide it again",
        "p": "Pause",
        "z": "Stop for your own sake",
        "0": "It withstood",
        "1": "It wavered",
        "2": "It gave in in part",
        "3": "It gave in largely",
        "4": "It gave in entirely",
        "5": "No harm",
        "6": "Low harm",
        "7": "Medium harm",
        "8": "High harm",
        "9": "Critical harm",
        **dict.fromkeys("nmsyuxkj", "A kind of harm"),
        "w": "Write what to say",
        "a": "Ask the model again",
    },
    "critique_revise": {
        "j": "The next principle",
        "k": "The principle before",
        "v": "Goes against it",
        "n": "Keeps to it",
        "a": "Keep the model's finding",
        "s": "Edit the model's finding",
        "x": "Reject the model's finding",
        "c": "Write the critique",
        "w": "Write the revision",
        "d": "Differences",
    },
    "chat": {
        "w": "Write what you say",
        "a": "Reply A goes on, or ask again",
        "b": "Reply B goes on",
        "c": "Reply C goes on",
        "d": "Reply D goes on",
        "t": "Equally good, go on",
        "o": "None of them, ask anew",
        "j": "The next rating",
        "k": "The rating before",
        **_DIGITS,
    },
    "judge_calibration": {"j": "The next question", "k": "The question before", **_DIGITS},
    "correction": {
        "j": "The next field",
        "k": "The field before",
        "c": "Change it",
        "x": "Leave it out",
        "a": "As the model had it",
        "d": "Differences",
        **_DIGITS,
    },
}


def used_keys() -> dict[str, set[str]]:
    """The default keys of each kind of task, by its title."""
    return {kind.title: {*FRAME_KEYS, *TYPE_KEYS.get(key, {})} for key, kind in TASK_TYPES.items()}


def _rows() -> list[tuple[str, list[tuple[str, str]]]]:
    """(key, [(kind of task or nothing, what it does there)]) for every key that does something."""
    rows = []
    for key in MOVABLE:
        does = [("", FRAME_KEYS[key])] if key in FRAME_KEYS else []
        does += [
            (TASK_TYPES[kind].title, words[key])
            for kind, words in TYPE_KEYS.items()
            if key in words and kind in TASK_TYPES
        ]
        if does:
            rows.append((key, does))
    return rows


def _facts() -> dict[str, Any]:
    with transaction() as session:
        moved = queries.moved_keys(session, me())
    return {"rows": _rows(), "moved": moved, "movable": MOVABLE}


@specialists.get("/keys")
@needs(Permission.WORK_DO)
def keys() -> str:
    """All keys of the workbench, and where this person has them."""
    return render_template("specialists/keys.html", **_facts())


@specialists.post("/keys")
@needs(Permission.WORK_DO)
@form_page("specialists/keys.html", _facts)
def move_keys() -> Response:
    """Keep where the keys are, or put all of them back."""
    moved = {
        key: request.form.get(f"keys.{key}", "").strip().lower()
        for key, _ in _rows()
        if "reset" not in request.form
    }
    with transaction() as session:
        service.move_keys(session, me(), moved, used_keys())
    back = "Every key is where it was." if "reset" in request.form else "Your keys are kept."
    flash(back, "good")
    return redirect(url_for("specialists.keys"), code=303)
