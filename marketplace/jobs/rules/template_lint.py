"""What a template may say by its schema, and what nobody could work with all the same.

Faults keep a job from being published; advice is shown and keeps nothing back. Every sentence says
how to mend it; pointers lead into the template.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from marketplace.errors import Fault
from marketplace.tasktypes import Json

# Keys of the workbench's own frame, which no label may take.
FRAME_KEYS: Mapping[str, str] = {
    "e": "add evidence", "f": "find in the instructions", "g": "report a gap", "h": "older drafts",
    "i": "instructions", "l": "looking things up", "q": "cannot complete", "r": "why",
}  # fmt: skip
# What a question of a type hangs on: (question, on what, the answers that leave it unasked).
HANGS_ON: Mapping[str, Sequence[tuple[str, str, frozenset[object]]]] = {
    "trajectory": [
        *((name, "steps", frozenset({"off"}))
          for name in ("tool_choice", "arguments", "grounded", "errors", "inherited")),
        ("reason", "first_error", frozenset({"off"})),
        ("responsible_agent", "outcome", frozenset({False})),
        ("fault", "outcome", frozenset({False})),
    ],
    "judge_calibration": [("fault_tags", "reveal", frozenset({"never"}))],
    "spans": [(name, "cats", frozenset({None})) for name in ("cats_many", "cats_required")],
}  # fmt: skip
WAYS_OUT = ("other", "none", "unclear", "unsure", "cannot", "neither", "n/a", "not ", "unknown")


def template_faults(kind: str, template: Json) -> list[Fault]:
    """Keys that clash and questions that nobody can reach."""
    return [*_clashes(template), *_unreachable(kind, template)]


def template_advice(kind: str, template: Json) -> list[Fault]:
    """Answers that are required and leave no way out for a task that has none."""
    return list(_without_escape(kind, template))


def _clashes(template: Json) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for at, label in enumerate(_rows(template, "labels")):
        key, place = str(label.get("key", "")), f"/labels/{at}/key"
        if len(key) != 1:
            continue  # A name of the label, not a key of the keyboard.
        name = str(label.get("name", label.get("title", "")))
        if key in FRAME_KEYS:
            does = FRAME_KEYS[key]
            yield Fault(place, f"The key {key} is the workbench's own ({does}). Take another.")
        elif key in seen:
            yield Fault(place, f"The key {key} is that of “{seen[key]}” too. Take another.")
        seen.setdefault(key, name)


def _unreachable(kind: str, template: Json) -> Iterator[Fault]:
    for name, on, unasked in HANGS_ON.get(kind, ()):
        asked = template.get(name) not in {None, False, "off"} if _plain(template, name) else True
        if name in template and asked and template.get(on) in unasked:
            words = f"“{name}” is asked only where “{on}” is. Ask for that too, or leave this out."
            yield Fault(f"/{name}", words)
    names = {str(label.get("name")) for label in _rows(template, "labels")}
    for at, each in enumerate(_rows(template, "attributes")):
        wanted = each.get("labels") or []
        if kind == "spans" and wanted and not names & set(wanted):
            words = "None of the labels that it belongs to is there. Name one, or leave them out."
            yield Fault(f"/attributes/{at}/labels", words)
        if each.get("kind") == "choice" and not each.get("options"):
            words = "There is nothing to choose from. Give its options."
            yield Fault(f"/attributes/{at}/options", words)


def _plain(template: Json, name: str) -> bool:
    return isinstance(template.get(name), bool | str | None)


def _without_escape(kind: str, template: Json) -> Iterator[Fault]:
    if kind == "pairwise" and (template.get("allow_tie"), template.get("allow_both_bad")) == (
        False,
        False,
    ):
        words = "One answer must win, even where both are alike. Allow a tie, or both bad."
        yield Fault("/allow_tie", words)
    if kind == "ranking" and template.get("allow_unrankable") is False:
        yield Fault("/allow_unrankable", "An answer that is no answer must be ranked. Allow this.")
    if kind == "rubric":
        for at, aspect in enumerate(_rows(template, "aspects")):
            if aspect.get("required", True) and not aspect.get("allow_na"):
                words = f"“{aspect.get('title')}” must be scored even where it does not apply. "
                yield Fault(f"/aspects/{at}/allow_na", words + "Allow “not applicable”.")
    for part in ("aspects", "fields", "attributes"):
        for at, each in enumerate(_rows(template, part)):
            needed = each.get("required", part != "attributes")
            if each.get("kind") == "choice" and needed and not _has_way_out(each):
                words = f"“{each.get('title')}” must be answered, and no option says that none fits"
                yield Fault(f"/{part}/{at}/options", f"{words}. Add one, such as “Unclear”.")


def _has_way_out(each: Json) -> bool:
    options = [str(o.get("title") if isinstance(o, dict) else o) for o in each.get("options", [])]
    return any(word in f"{option.lower()} " for option in options for word in WAYS_OUT)


def _rows(template: Json, name: str) -> list[Json]:
    found = template.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
