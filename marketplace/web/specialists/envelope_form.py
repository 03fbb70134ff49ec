"""What stands beside a judgement, as flat form fields: reasons, sources, flags, tools.

Rows are numbered: `rationale_claims.0.text`, `references.1.locator`. Evidence that the page marks
comes as JSON in a field of its own; what somebody writes about where it stands is a citation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from werkzeug.datastructures import MultiDict

from marketplace.tasktypes.fields import Fields
from marketplace.work.rules import CONFIDENCE_ANCHORS, Flag, reference_of
from marketplace.work.rules.envelope import CLAIMS_MAX, REFERENCE_LENGTH_MAX, REFERENCES_MAX

TOOL_LENGTH_MAX = 500
FLAG_WORDS: Sequence[tuple[str, str, str]] = (
    (Flag.UNSURE, "I am not sure", "Better said than hidden; it costs you nothing."),
    (Flag.OUTSIDE_COMPETENCE, "This lies outside my field", "The lab may ask somebody else too."),
    (Flag.BAD_ITEM, "Something is wrong with the material", "It could be judged all the same."),
)
CONFIDENCE_CHOICES = [
    ("", "Not said"),
    *((str(share), f"{name}: {words}") for share, name, words in CONFIDENCE_ANCHORS),
]


def read(form: MultiDict[str, str]) -> dict[str, Any]:
    """The envelope of an answer, without its judgement and its time."""
    sent = Fields.of(form)
    tool = form.get("ai_use", "").strip()[:TOOL_LENGTH_MAX]
    purpose = form.get("ai_use_for", "").strip()[:TOOL_LENGTH_MAX]
    used: dict[str, Any] = {"used": bool(tool or purpose)}
    if used["used"]:
        used |= {"tool": tool} | ({"purpose": purpose} if purpose else {})
    known = {each.value for each in Flag}
    return {
        "rationale": form.get("rationale", "").strip() or None,
        "confidence": _share(form.get("confidence", "")),
        "references": _references(sent.below("references")),
        "ai_use": used,
        "rationale_claims": _claims(sent.below("rationale_claims")),
        "flags": [flag for flag in form.getlist("flags") if flag in known],
    }


def _share(text: str) -> float | None:
    try:
        share = float(text)
    except ValueError:
        return None
    return share if 0 <= share <= 1 else None


def _references(rows: Fields) -> list[Any]:
    found = []
    for row in rows.rows()[:REFERENCES_MAX]:
        said = {
            name: (row.below(name).one() or "").strip()[:REFERENCE_LENGTH_MAX]
            for name in ("source", "locator", "quote", "accessed_at")
        }
        source = said.pop("source")
        if source or said["quote"]:
            found.append(reference_of(source or said["quote"], **said))
    return found


def _claims(rows: Fields) -> list[dict[str, Any]]:
    found = []
    for row in rows.rows()[:CLAIMS_MAX]:
        text = (row.below("text").one() or "").strip()
        where = (row.below("where").one() or "").strip()
        evidence = _marked(row.below("evidence").one() or "[]")
        if where:
            evidence.append({"kind": "citation", "text": where})
        if text or evidence:
            found.append({"text": text, "evidence": evidence})
    return found


def _marked(text: str) -> list[Any]:
    try:
        marked = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return marked if isinstance(marked, list) else []


def write(content: Mapping[str, Any]) -> dict[str, str]:
    """The fields that `read` reads back as this envelope; drafts of any shape too."""
    ai_use = content.get("ai_use") or {}
    found = {
        "rationale": content.get("rationale") or "",
        "confidence": str(content.get("confidence") or ""),
        "ai_use": str(ai_use.get("tool") or ""),
        "ai_use_for": str(ai_use.get("purpose") or ""),
        "flags": " ".join(content.get("flags") or []),
    }
    for at, each in enumerate(_objects(content.get("references"))):
        row = f"references.{at}"
        found[f"{row}.source"] = str(each.get(each.get("type", "citation")) or "")
        for name in ("locator", "quote", "accessed_at"):
            found[f"{row}.{name}"] = str(each.get(name) or "")
    for at, each in enumerate(_objects(content.get("rationale_claims"))):
        row = f"rationale_claims.{at}"
        evidence = _objects(each.get("evidence"))
        written = [one for one in evidence if set(one) == {"kind", "text"}]
        marked = [one for one in evidence if one not in written[:1]]
        found[f"{row}.text"] = str(each.get("text") or "")
        found[f"{row}.where"] = str(written[0]["text"]) if written else ""
        found[f"{row}.evidence"] = json.dumps(marked) if marked else ""
    return found


def _objects(found: object) -> list[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def rows_of(values: Mapping[str, str], name: str, most: int) -> range:
    """The numbers of the rows that a form shows: those filled, and one more to write in."""
    filled = [
        int(part)
        for key in values
        if key.startswith(f"{name}.") and (part := key.split(".")[1]).isdigit() and values[key]
    ]
    return range(min(max(filled, default=-1) + 2, most))
