"""Tables: which column becomes which field of an item, and the rows that this makes.

A field is `external_id`, `payload`, `gold` or `prelabels` (JSON), `prompt` for one message of the
user, or the path of a field of the payload with dots, such as `a`, `messages.0.content` or
`metadata.year`; `gold.judgement.choice` names a part of the gold. No field leaves a column out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import orjson

from marketplace.errors import Fault, Faulty
from marketplace.jobs.rules.imports.contract import line_of
from marketplace.tasktypes import Json
from marketplace.tasktypes.fields import WHOLE, Fields, judgement_from

ID = "external_id"
PROMPT = "prompt"
AS_JSON = ("payload", "gold", "prelabels")
PARTS_MAX = 12
LIST_MAX = 100
COLUMNS_MAX = 1_000
# What other people call the fields that we know; in small letters, without blanks and dashes.
KNOWN_AS: Mapping[str, tuple[str, ...]] = {
    ID: (
        *("external_id", "id", "idx", "index", "uuid", "uid", "key", "item_id", "example_id"),
        *("question_id", "task_id", "instance_id", "prompt_id", "conversation_id", "pmid"),
    ),
    PROMPT: (
        *("prompt", "instruction", "question", "query", "problem", "input", "dialogue"),
        *("conversation", "fields.question", "fields.text"),
    ),
    "a": ("a", "response1", "response_1", "response_a", "output1", "output_1", "completion_a"),
    "b": ("b", "response2", "response_2", "response_b", "output2", "output_2", "completion_b"),
    "response": ("response", "output", "answer", "completion", "summary", "long_answer"),
    "text": ("text", "sentence", "content", "body", "document", "column_data"),
    "diff": ("diff", "patch"),
    "title": ("title", "instance_id", "task_id"),
    "description": ("description", "problem_statement"),
    "image": ("image", "file_name", "filename", "image_path"),
    "goal": ("goal", "task", "instruction", "question"),
}


def fields_of(schema: Json) -> list[str]:
    """The fields that a column may become, for somebody to choose from."""
    known = schema.get("properties", {})
    prompt = [PROMPT] if "messages" in known and PROMPT not in known else []
    return [ID, *prompt, *known, *AS_JSON]


def proposed(columns: Sequence[str], schema: Json) -> dict[str, str]:
    """What each column most likely is; one that nobody knows is kept in the metadata."""
    plain = {
        column: column.strip().lower().replace(" ", "_").replace("-", "_") for column in columns
    }
    open_fields = [name for name in fields_of(schema) if name != "metadata"]
    found: dict[str, str] = {}
    for name in open_fields:
        names = (name, *KNOWN_AS.get(name, ()))
        free = [column for column in columns if column not in found]
        match = min(
            (column for column in free if plain[column] in names),
            key=lambda column: names.index(plain[column]),
            default=None,
        )
        if match is not None and not (name == PROMPT and "messages" in found.values()):
            found[match] = name
    for column in columns:
        if column not in found:
            path = plain[column].split(".")
            whole = path[0] in (*schema.get("properties", {}), "gold")
            found[column] = column if whole else f"metadata.{column.replace('.', '_')}"
    return found


def strict(columns: Sequence[str], schema: Json) -> dict[str, str]:
    """Columns that are named after their fields; Faulty where one is not."""
    known = [*schema.get("properties", {}), PROMPT]
    faults = []
    for name in columns:
        if list(columns).count(name) > 1:
            faults.append(Fault("", f"The column “{name[:80]}” stands twice."))
        elif name not in (ID, *AS_JSON) and name.split(".")[0] not in (*known, "gold"):
            advice = f"The column “{name[:80]}” is no field here; there are {', '.join(known)}."
            faults.append(Fault("", advice))
    if faults:
        raise Faulty(f"The columns do not fit: {faults[0].message}", faults)
    return {name: name for name in columns}


def checked(mapping: Mapping[str, str], columns: Sequence[str], schema: Json) -> dict[str, str]:
    """A mapping that somebody gave, of columns that are there to fields that we know; Faulty.

    Where nobody gave one, a table with our own `external_id` is taken at its word, so that a slip
    in a name is told; any other is read as it looks.
    """
    if not mapping:
        own = ID in columns or len(columns) != len(set(columns))
        return strict(columns, schema) if own else _guessed(columns, schema)
    faults = []
    known = (*fields_of(schema), "messages")
    wanted = {column: field.strip() for column, field in mapping.items() if field.strip()}
    for column, field in wanted.items():
        if column not in columns:
            faults.append(Fault("/mapping", f"There is no column “{column[:80]}” in this file."))
        elif field.split(".")[0] not in known:
            faults.append(Fault("/mapping", f"“{field[:80]}” is no field of an item here."))
        elif list(wanted.values()).count(field) > 1:
            faults.append(Fault("/mapping", f"Two columns become “{field[:80]}”. Choose one."))
    if len(columns) != len(set(columns)):
        faults.append(Fault("", "Two columns have the same name. Rename one."))
    if faults:
        raise Faulty(f"The columns do not fit: {faults[0].message}", faults)
    return wanted


def _guessed(columns: Sequence[str], schema: Json) -> dict[str, str]:
    found = proposed(columns, schema)
    if all(each == ID or each.startswith("metadata.") for each in found.values()):
        known = ", ".join(fields_of(schema))
        words = f"No column has a name that we know. Say which becomes which of {known}."
        raise Faulty(f"The columns do not fit: {words}", [Fault("/mapping", words)])
    return found


def row_line(values: Mapping[str, Any], mapping: Mapping[str, str], schema: Json) -> bytes | Fault:
    """The line of one row of values. Without a column for the id, its content names an item."""
    said = {
        field: values[column]
        for column, field in mapping.items()
        if column in values and not _left_out(values[column], field, schema)
    }
    try:
        row: dict[str, Any] = {ID: said.pop(ID) if ID in said else _named(said)}
        for name in AS_JSON:
            if name in said:
                row[name] = _json(said.pop(name))
        payload = row.setdefault("payload", {})
        for field, value in said.items():
            _put(row if field.startswith("gold.") else payload, field, value, schema)
    except orjson.JSONDecodeError as wrong:
        return Fault("", f"A cell that should hold JSON does not: {wrong}.")
    except (TypeError, ValueError, IndexError, AttributeError):
        return Fault("", "Two columns of this row stand in each other's way. Look at the mapping.")
    return line_of(row)


def _blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _left_out(value: object, field: str, schema: Json) -> bool:
    """Whether a value says nothing. An empty text does where the item needs one and takes it: a
    model may have answered with nothing, and people compare that, too."""
    if not _blank(value) or value is None:
        return value is None
    of = schema.get("properties", {}).get(field, {})
    plain = of.get("type") == "string" and not {"pattern", "minLength", "enum"} & set(of)
    return not (plain and field in schema.get("required", ()))


def _named(said: Mapping[str, Any]) -> str:
    written = orjson.dumps(dict(said), option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return "row-" + hashlib.sha256(written).hexdigest()[:24]


def _json(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, str | bytes) else value


def _put(target: Json, field: str, value: Any, schema: Json) -> None:
    """Set a value at a path, making the objects and lists on its way."""
    if field == PROMPT and PROMPT not in schema.get("properties", {}):
        target["messages"] = [{"role": "user", "content": _words(value)}]
        return
    path = field.split(".", PARTS_MAX)
    of = schema.get("properties", {}).get(path[0], {}).get("type")
    if len(path) == 1 and of in ("array", "object") and isinstance(value, str):
        # Lists and objects come as JSON where a table has texts only.
        value = _json(value)
    elif of == "string" and len(path) == 1 and not isinstance(value, str):
        value = _words(value)
    here: Any = target
    for part, following in pairwise(path):
        here = _inner(here, part, [] if following.isdigit() else {})
    _set(here, path[-1], value)


def _inner(here: Any, part: str, empty: Any) -> Any:
    if not isinstance(here, list):
        return here.setdefault(part, empty)
    while len(here) <= min(int(part), LIST_MAX):
        here.append(type(empty)())
    return here[int(part)]


def _set(here: Any, part: str, value: Any) -> None:
    if isinstance(here, list):
        here.insert(int(part), value)
    else:
        here[part] = value


def _words(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def text_row(cells: Mapping[str, str], mapping: Mapping[str, str], schema: Json) -> bytes | Fault:
    """As `row_line`, of texts: numbers, flags and lists are read as the schema says."""
    kept: dict[str, Any] = {}
    form: dict[str, str] = {}
    shown = {column: field for column, field in mapping.items() if column in cells}
    for column, field in shown.items():
        top = field.split(".")[0]
        value = cells[column]
        of = schema.get("properties", {}).get(field, {}).get("type")
        as_text = top in (ID, PROMPT, *AS_JSON, "metadata")
        nested = of in ("array", "object") and value.lstrip()[:1] in ("[", "{")
        empty = not value.strip() and not _left_out(value, field, schema)
        if top == "gold" and "." in field:
            kept[column] = int(value) if WHOLE.fullmatch(value.strip()) else value
        elif as_text or nested or empty:
            kept[column] = value
        elif value.strip():
            form[field] = value
    line = row_line(kept, {column: shown[column] for column in kept}, schema)
    if isinstance(line, Fault) or not form:
        return line
    row = orjson.loads(line)
    if ID not in mapping.values():
        row[ID] = _named(cells)
    row["payload"] = judgement_from(Fields.of(form), schema) | row["payload"]
    return line_of(row)
