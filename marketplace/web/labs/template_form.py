"""The form of a template: flat fields to a template and back, directed by the type's own schema.

Names are `template.` and the path in the template. Three parts are typed as text, since that is
how people write them: anchors of a scale (`1: Mostly wrong`, one a line), self-checks (one a line)
and categories (with commas). `template_text` holds the whole template as JSON or YAML instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from marketplace.errors import Fault
from marketplace.tasktypes import Json, task_type
from marketplace.tasktypes.fields import Fields, flat, judgement_from

PREFIX = "template"
TEXT_MAX = 200_000
DEPTH_MAX = 40
SPARE_ROWS = 2
ROWS_MIN = 3
_OPENS = (
    yaml.FlowSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.BlockMappingStartToken,
)
_CLOSES = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)
_KEYED = re.compile(r"([a-z][a-z0-9_]{0,39}): (.+)")
_WRITTEN_AS_TEXT = re.compile(r"self_check\.|categories\.|aspects\.\d+\.scale\.anchors\.")


def read(kind: str, form: Mapping[str, Any]) -> tuple[Json, list[Fault]]:
    """The template that a form describes, and what keeps it from being read at all."""
    text = str(form.get("template_text") or "").strip()
    if text:
        return parsed(text)
    sent = Fields.of(form).below(PREFIX)
    schema = task_type(kind).template_schema
    known = schema["properties"]
    template = judgement_from(sent, schema)
    parts: Json = {}
    if "aspects" in known:
        parts["aspects"] = _aspects(sent, known["aspects"]["items"])
    if "self_check" in known:
        parts["self_check"] = _promises(sent.below("self_check").one() or "")
    if "categories" in known:
        words = ",".join(sent.below("categories").values).split(",")
        parts["categories"] = [key_of(word) for word in words if word.strip()]
    for name, value in parts.items():
        template.pop(name, None)
        if value:
            template[name] = value
    return template, []


def parsed(text: str) -> tuple[Json, list[Fault]]:
    """A template typed as JSON or YAML, or why it cannot be one."""
    try:
        value = json.loads(text) if text[0] == "{" else _yaml(text)
        # What YAML knows and JSON does not, such as a date, is found here.
        value = json.loads(json.dumps(value, allow_nan=False))
    except (ValueError, TypeError, RecursionError, yaml.YAMLError) as wrong:
        first = str(wrong).splitlines()[0][:200] if str(wrong) else type(wrong).__name__
        return {}, [Fault("/template_text", f"This is neither JSON nor YAML: {first}")]
    if not isinstance(value, dict):
        return {}, [Fault("/template_text", "Write an object: names with values.")]
    return value, []


def _yaml(text: str) -> Any:
    if len(text) > TEXT_MAX:
        raise ValueError(f"it is longer than {TEXT_MAX:,} characters")
    depth = 0
    for token in yaml.scan(text):
        depth += isinstance(token, _OPENS) - isinstance(token, _CLOSES)
        # The reader's time grows with the square of the depth, so this stops before it does.
        if depth > DEPTH_MAX:
            raise ValueError(f"it is nested deeper than {DEPTH_MAX} levels")
        aliased = isinstance(token, yaml.AliasToken)
        if aliased:
            raise ValueError("aliases are not read here; write the value out")
    return yaml.safe_load(text)


def _aspects(sent: Fields, schema: Json) -> list[Json]:
    """The rows of aspects that say something; a row without a key is named after its title."""
    found: list[Json] = []
    for row in sent.below("aspects").rows():
        aspect = judgement_from(row, schema)
        anchors = _anchors(row.below("scale").below("anchors").one() or "")
        if not anchors and not {"key", "title", "question"} & aspect.keys():
            continue
        if "key" not in aspect:
            aspect["key"] = key_of(aspect.get("title", f"aspect {len(found) + 1}"))
        if anchors:
            aspect["scale"] = {**aspect.get("scale", {}), "anchors": anchors}
        found.append(aspect)
    return found


def _anchors(text: str) -> dict[str, str]:
    lines = [line.partition(":") for line in text.splitlines() if line.strip()]
    return {score.strip(): words.strip() for score, _, words in lines}


def _promises(text: str) -> list[Json]:
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        keyed = _KEYED.fullmatch(line)
        key, title = keyed.groups() if keyed else (key_of(line), line)
        found.append({"key": key, "title": title})
    return found


def key_of(title: str) -> str:
    """A key for what has a title: letters, digits and underscores, at most 40."""
    key = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    return (key if key[:1].isalpha() else f"k_{key}".rstrip("_"))[:40]


def write(template: Json) -> dict[str, str]:
    """Form fields that `read` reads back as this template, where the form has fields for it."""
    plain = flat(template).items()
    fields = {name: text for name, text in plain if not _WRITTEN_AS_TEXT.match(name)}
    for at, aspect in enumerate(_objects(template.get("aspects"))):
        scale = aspect.get("scale")
        anchors = scale.get("anchors") if isinstance(scale, dict) else None
        if isinstance(anchors, dict):
            lines = "\n".join(f"{score}: {words}" for score, words in anchors.items())
            fields[f"aspects.{at}.scale.anchors"] = lines
    promises = _objects(template.get("self_check"))
    if promises:
        fields["self_check"] = "\n".join(map(_promise_line, promises))
    if isinstance(template.get("categories"), list):
        fields["categories"] = ", ".join(map(str, template["categories"]))
    return {f"{PREFIX}.{name}": text for name, text in fields.items()}


def _promise_line(promise: Json) -> str:
    key, title = promise.get("key"), str(promise.get("title", ""))
    return title if key == key_of(title) else f"{key}: {title}"


def _objects(value: object) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def fits(kind: str, template: Json) -> bool:
    """Whether the form can show all of a template; else it is edited as text."""
    return read(kind, write(template))[0] == template


def values_of(kind: str, template: Json) -> dict[str, str]:
    """The fields of a stored template, with its text where the form cannot show all of it."""
    if fits(kind, template):
        return write(template)
    return {"template_text": json.dumps(template, indent=2, ensure_ascii=False)}


def rows_of(values: Mapping[str, Any]) -> int:
    """How many rows of aspects a form shows: those in use, and some to fill."""
    used = [
        int(part)
        for name, text in values.items()
        if text and name.startswith(f"{PREFIX}.aspects.") and (part := name.split(".")[2]).isdigit()
    ]
    return max(ROWS_MIN, max(used, default=-1) + 1 + SPARE_ROWS)
