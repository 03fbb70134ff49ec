"""Types whose judgements go out as results of Label Studio's but are not read from its tasks.

Their tags would hold only half of an item: a chat needs models that answer, a fact check its
sources, a red-team dialogue its words of warning.
"""

from __future__ import annotations

from marketplace.tasktypes.label_studio.controls import Config, Control, Shown
from marketplace.tasktypes.label_studio.dialect import Dialect, Left, Place, Unfit, result, whole
from marketplace.tasktypes.label_studio.texts import MESSAGES, chat_results
from marketplace.tasktypes.shapes import Json

CHAT_NAME = "chat"
VERDICTS = ("supported", "contradicted", "unverifiable")
CLAIM_SEVERITIES = ("minor", "major", "critical")
GRADES = ("correct", "incorrect", "not_attempted")
QUALITIES = ("good", "truncated", "incorrect_refusal")
HARM_SEVERITIES = ("none", "low", "medium", "high", "critical")
SEVERAL = ("harm_categories", "techniques")
SOURCES = Shown("Paragraphs", "sources", "title", "content")
RESPONSE = ("response",)


def not_read(_place: Place) -> Json:
    """No item is made of a task."""
    raise Unfit("Tasks of Label Studio's are not read for this type.")


def _nothing_said(_place: Place, _results: list[Json], _left: Left) -> Json:
    return {}


def chat_default(template: Json) -> Config:
    """The scenario, the chat that was held, a Number for each aspect."""
    shown = {"scenario": Shown("Text", "scenario"), CHAT_NAME: Shown("Chat", CHAT_NAME)}
    controls = tuple(
        Control(str(each["key"]), "Number", (CHAT_NAME,)) for each in template.get("aspects", [])
    )
    return Config(shown, controls)


def chat_held(place: Place, judged: Json) -> list[Json]:
    """The messages, then the ratings."""
    told = chat_results(judged["messages"], place.config)
    for key, rating in sorted(judged.get("ratings", {}).items()):
        if rating.get("score") is not None:
            told.append(whole(Control(key, "Number", (CHAT_NAME,)), {"number": rating["score"]}))
    return told


def fact_check_default(template: Json) -> Config:
    """`verdict` marks claims in the answer; severity, sources and notes are of each claim."""
    controls = [
        Control("verdict", "Labels", RESPONSE, VERDICTS),
        Control("severity", "Choices", RESPONSE, CLAIM_SEVERITIES, per_region=True),
        Control("evidence", "TextArea", RESPONSE, per_region=True),
        Control("note", "TextArea", RESPONSE, per_region=True),
    ]
    if template.get("grade", "off") != "off":
        controls.append(Control("grade", "Choices", RESPONSE, GRADES))
    if template.get("quality"):
        controls.append(Control("quality", "Choices", RESPONSE, QUALITIES))
    shown = {"messages": MESSAGES, "response": Shown("Text", "response"), "sources": SOURCES}
    return Config(shown, tuple(controls))


def claims_marked(place: Place, judged: Json) -> list[Json]:
    """Claims as labels on the answer, in code points; then what is said of the whole answer."""
    told: list[Json] = []
    for at, claim in enumerate(judged["claims"], start=1):
        told += _claim(str(place.payload["response"]), f"c{at}", claim)
    for key, offered in (("grade", GRADES), ("quality", QUALITIES)):
        if key in judged:
            told.append(
                whole(Control(key, "Choices", RESPONSE, offered), {"choices": [judged[key]]})
            )
    return told


def _claim(response: str, name: str, claim: Json) -> list[Json]:
    start, end = int(claim["start"]), int(claim["end"])
    where = {"start": start, "end": end, "text": response[start:end]}
    told = [
        result(
            Control("verdict", "Labels", RESPONSE), name, {**where, "labels": [claim["verdict"]]}
        )
    ]
    if "severity" in claim:
        severity = Control("severity", "Choices", RESPONSE)
        told.append(result(severity, name, {**where, "choices": [claim["severity"]]}))
    if sources := [_cited(each) for each in claim.get("sources", [])]:
        told.append(
            result(Control("evidence", "TextArea", RESPONSE), name, {**where, "text": sources})
        )
    if claim.get("note"):
        note = Control("note", "TextArea", RESPONSE)
        told.append(result(note, name, {**where, "text": [claim["note"]]}))
    return told


def _cited(source: Json) -> str:
    """A source in one line: where it stands, then its words."""
    place = ", ".join(str(source[key]) for key in ("doc_id", "url", "locator") if source.get(key))
    return ": ".join(part for part in (place, str(source.get("quote", ""))) if part)


def red_team_default(template: Json) -> Config:
    """The dialogue as a chat; success as a Number from 0 to 4, harms and techniques as Choices."""
    to = (CHAT_NAME,)
    controls = [Control("attack_success", "Number", to)]
    for key in SEVERAL:
        titles = tuple(str(each["title"]) for each in template.get(key, []))
        controls.append(Control(key, "Choices", to, titles, many=True))
    if template.get("severity", "optional") != "off":
        controls.append(Control("severity", "Choices", to, HARM_SEVERITIES))
    if template.get("task_description", "optional") != "off":
        controls.append(Control("task_description", "TextArea", to))
    shown = {
        "target_behaviour": Shown("Text", "target_behaviour"),
        CHAT_NAME: Shown("Chat", "messages"),
    }
    return Config(shown, tuple(each for each in controls if each.tag != "Choices" or each.options))


def dialogue_judged(place: Place, judged: Json) -> list[Json]:
    """The messages of a live dialogue, then what is said of it; a transcript stands in the data."""
    told = chat_results(judged.get("messages", []), place.config)
    to = (CHAT_NAME,)
    if "attack_success" in judged:
        success = Control("attack_success", "Number", to)
        told.append(whole(success, {"number": judged["attack_success"]}))
    for key in SEVERAL:
        titles = {each["key"]: each["title"] for each in place.template.get(key, [])}
        if said := [titles.get(each, each) for each in judged.get(key, [])]:
            told.append(whole(Control(key, "Choices", to), {"choices": said}))
    if "severity" in judged:
        told.append(whole(Control("severity", "Choices", to), {"choices": [judged["severity"]]}))
    if judged.get("task_description"):
        tried = Control("task_description", "TextArea", to)
        told.append(whole(tried, {"text": [judged["task_description"]]}))
    return told


CHAT = Dialect(default=chat_default, payload=not_read, judgement=_nothing_said, results=chat_held)
FACT_CHECK = Dialect(
    default=fact_check_default, payload=not_read, judgement=_nothing_said, results=claims_marked
)
RED_TEAM = Dialect(
    default=red_team_default, payload=not_read, judgement=_nothing_said, results=dialogue_judged
)
GOING_OUT = {"chat": CHAT, "fact_check": FACT_CHECK, "red_team": RED_TEAM}
