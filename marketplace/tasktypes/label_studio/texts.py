"""What is written, in Label Studio's results: TextArea, Chat messages, and fields put right."""

from __future__ import annotations

from typing import Any

import orjson

from marketplace.tasktypes.label_studio.controls import Config, Control, Shown
from marketplace.tasktypes.label_studio.dialect import (
    Dialect,
    Left,
    Place,
    Unfit,
    control_of,
    key_of,
    messages_of,
    result,
    value_of,
    whole,
    words_of,
)
from marketplace.tasktypes.shapes import Json

MESSAGES = Shown("Paragraphs", "messages", "role", "content")
YES, NO = "yes", "no"
# The tag that a field of this kind is when the template brings no configuration.
TAGS = {"text": "TextArea", "choice": "Choices", "number": "Number", "flag": "Choices"}
CHECK = "self_check"


def demonstration_default(template: Json) -> Config:
    """`messages` is written; each confirmed check is a choice of `self_check`."""
    to = ("messages",)
    checks = tuple(str(each["title"]) for each in template.get("self_check", []))
    controls = (
        Control("chat", "Chat", to),
        Control("answer", "TextArea", to),
        Control(CHECK, "Choices", to, checks, many=True),
    )
    return Config({"messages": MESSAGES}, controls)


def conversation(place: Place) -> Json:
    """An item that is a conversation and nothing else."""
    found = messages_of(place, [])
    if not any(each["content"].strip() for each in found):
        raise Unfit("There is no text. Send one in a field that the configuration shows.")
    return {"messages": found}


def demonstration_judgement(place: Place, results: list[Json], left: Left) -> Json:
    """The messages of a chat, or the texts that were written as one answer."""
    messages: list[Json] = []
    checks = {str(each["title"]): str(each["key"]) for each in place.template.get("self_check", [])}
    told: Json = {}
    for each in results:
        value = value_of(each)
        if each.get("type") == "chatmessage":
            message = message_of(value)
            if message is None:
                left["results_with_no_place_here"] += 1
            else:
                messages.append(message)
        elif words := [word for word in words_of(value, "text") if word.strip()]:
            messages.append({"role": "assistant", "content": "\n\n".join(words)})
        elif each.get("from_name") == CHECK and checks:
            named = [checks[word] for word in words_of(value, "choices") if word in checks]
            told["self_check"] = dict.fromkeys(named, True)
        else:
            left["results_with_no_place_here"] += 1
    return {"messages": messages, **told}


def message_of(value: Json) -> Json | None:
    """A message of a chat as a demonstration may hold it; None for tools and for silence."""
    said = value.get("chatmessage")
    if not isinstance(said, dict) or said.get("role") not in {"user", "assistant"}:
        return None
    content = said.get("content")
    if not isinstance(content, str) or not content.strip() or said.get("tool_calls"):
        return None
    return {"role": said["role"], "content": content}


def demonstration_results(place: Place, judged: Json) -> list[Json]:
    """One text for one answer, else a chat."""
    messages = judged["messages"]
    written = place.config.of("TextArea")
    told = []
    if len(messages) == 1 and written:
        told.append(whole(written[0], {"text": [messages[0]["content"]]}))
    else:
        told += chat_results(messages, place.config)
    titles = {str(each["key"]): str(each["title"]) for each in place.template.get("self_check", [])}
    confirmed = [titles.get(key, key) for key, said in judged.get("self_check", {}).items() if said]
    if confirmed:
        control = control_of(place.config, CHECK, ("Choices",), per_region=False)
        told.append(whole(control, {"choices": confirmed}))
    return told


def chat_results(messages: list[Json], config: Config) -> list[Json]:
    """Messages as a Chat tag holds them, in their order; the tag is its own object."""
    shown = next((name for name, each in config.shown.items() if each.tag == "Chat"), "chat")
    control = next(iter(config.of("Chat")), Control(shown, "Chat", (shown,)))
    control = Control(control.name, "ChatMessage", (control.name,))
    return [
        result(control, f"m{at}", {"chatmessage": {"role": m["role"], "content": m["content"]}})
        for at, m in enumerate(messages, start=1)
    ]


def correction_default(template: Json) -> Config:
    """Each field by its key: texts, choices, numbers; objects and lists as their JSON."""
    controls = []
    for each in template.get("fields", []):
        titles = tuple(str(option["title"]) for option in each.get("options", ()))
        offered = (YES, NO) if each["kind"] == "flag" else titles
        tag = TAGS.get(each["kind"], "TextArea" if each["kind"] == "json" else "Chat")
        controls.append(Control(str(each["key"]), tag, ("messages",), offered))
    return Config({"messages": MESSAGES}, tuple(controls))


def correction_judgement(place: Place, results: list[Json], left: Left) -> Json:
    fields = {str(each["key"]): each for each in place.template.get("fields", [])}
    values: Json = {}
    for each in results:
        key = key_of(str(each.get("from_name")))
        found = _value(fields[key], value_of(each)) if key in fields else None
        if found is None:
            left["results_with_no_place_here"] += 1
        elif fields[key]["kind"] == "messages":
            values.setdefault(key, []).append(found)
        else:
            values[key] = found
    return {"values": values}


def _value(field: Json, value: Json) -> Any:
    """What a result says for a field, None for what is none of its kind."""
    words = words_of(value, "choices")
    match field["kind"]:
        case "number":
            found = value.get("number", value.get("rating"))
            plain = isinstance(found, int | float) and not isinstance(found, bool)
            return found if plain else None
        case "choice":
            keys = {str(each["title"]): str(each["key"]) for each in field["options"]}
            return keys.get(words[0]) if len(words) == 1 else None
        case "flag":
            return {YES: True, NO: False}.get(words[0].lower()) if len(words) == 1 else None
        case "messages":
            said = value.get("chatmessage")
            return {k: said[k] for k in ("role", "content") if k in said} if said else None
        case "json":
            found = value.get("taxonomy", value.get("choices", value.get("text")))
            told = _told_in(found)
            return told if isinstance(told, dict | list) else None
    texts = words_of(value, "text") or [str(value["datetime"])] if "datetime" in value else []
    texts = texts or words_of(value, "text")
    return "\n".join(texts) if any(text.strip() for text in texts) else None


def _told_in(found: Any) -> Any:
    """The object or list that one text holds as JSON, else what was found as it is."""
    if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], str):
        return found
    try:
        told = orjson.loads(found[0])
    except ValueError:
        return found
    return told if isinstance(told, dict | list) else found


def _as_texts(value: Any) -> list[str]:
    """An object or a list as texts that are read back as it was: texts as they are, else JSON."""
    words = isinstance(value, list) and all(isinstance(each, str) for each in value)
    if words and value and _told_in(value) is value:
        return list(value)
    return [orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()]


def correction_results(place: Place, judged: Json) -> list[Json]:
    fields = {str(each["key"]): each for each in place.template.get("fields", [])}
    told = []
    for key, value in sorted(judged["values"].items()):
        field = fields.get(key, {"kind": "text"})
        kind = field["kind"]
        if kind == "messages":
            control = control_of(place.config, key, ("Chat",), per_region=False)
            told += chat_results(value, Config(controls=(control,)))
            continue
        tags = {
            "text": ("TextArea", "DateTime"),
            "choice": ("Choices",),
            "flag": ("Choices",),
            "number": ("Number", "Rating"),
            "json": ("TextArea", "Taxonomy", "Choices"),
        }[kind]
        control = control_of(place.config, key, tags, per_region=False)
        told.append(whole(control, _said(control, field, value)))
    return told


def _said(control: Control, field: Json, value: Any) -> Json:
    titles = {str(each["key"]): str(each["title"]) for each in field.get("options", ())}
    if control.tag == "Choices":
        if isinstance(value, list):
            return {"choices": value}
        words = (YES if value else NO) if isinstance(value, bool) else str(value)
        return {"choices": [titles.get(words, words)]}
    if control.tag == "TextArea" and isinstance(value, dict | list):
        return {"text": _as_texts(value)}
    name = {"TextArea": "text"}.get(control.tag, control.kind)
    return {name: [value] if name == "text" else value}


DEMONSTRATION = Dialect(
    default=demonstration_default,
    payload=conversation,
    judgement=demonstration_judgement,
    results=demonstration_results,
)
CORRECTION = Dialect(
    default=correction_default,
    payload=conversation,
    judgement=correction_judgement,
    results=correction_results,
)
