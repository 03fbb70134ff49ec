"""The form of a template: flat fields to a template and back, directed by the type's own schema.

Names are `template.` and the path in the template; `schema_form` says which parts there are.
`template_text` holds the whole template as JSON or YAML instead.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from marketplace.errors import Fault
from marketplace.tasktypes import Json, task_type
from marketplace.tasktypes.fields import Fields
from marketplace.web.labs import schema_form

PREFIX = "template"
TEXT_MAX = 200_000
DEPTH_MAX = 40
SPARE_ROWS = 2
ROWS_MIN = 3
ROWS_MOST = 120
_OPENS = (
    yaml.FlowSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.BlockMappingStartToken,
)
_CLOSES = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)


def read(kind: str, form: Mapping[str, Any]) -> tuple[Json, list[Fault]]:
    """The template that a form describes, and what keeps it from being read at all."""
    text = str(form.get("template_text") or "").strip()
    if text:
        return parsed(text)
    sent = Fields.of(form).below(PREFIX)
    return schema_form.read(sent, task_type(kind).template_schema), []


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


def write(kind: str, template: Json) -> dict[str, str]:
    """Form fields that `read` reads back as this template, where the form has fields for it."""
    return schema_form.write(template, task_type(kind).template_schema, PREFIX)


def fits(kind: str, template: Json) -> bool:
    """Whether the form can show all of a template; else it is edited as text."""
    return read(kind, write(kind, template))[0] == template


def values_of(kind: str, template: Json) -> dict[str, str]:
    """The fields of a stored template, with its text where the form cannot show all of it."""
    if fits(kind, template):
        return write(kind, template)
    return {"template_text": json.dumps(template, indent=2, ensure_ascii=False)}


def rows_of(values: Mapping[str, Any]) -> Callable[[str], int]:
    """How many rows a list of the form shows: those in use, and some to fill."""

    def rows(name: str) -> int:
        head = f"{name}."
        used = [
            int(part)
            for each, text in values.items()
            if text
            and each.startswith(head)
            and (part := each[len(head) :].split(".")[0]).isdigit()
        ]
        return min(max(ROWS_MIN, max(used, default=-1) + 1 + SPARE_ROWS), ROWS_MOST)

    return rows
