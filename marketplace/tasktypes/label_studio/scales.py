"""Verdicts on scales in Label Studio's results: Rating, Number, Choices, and texts beside them."""

from __future__ import annotations

from typing import Any, TypeGuard

from marketplace.tasktypes.label_studio.controls import Config, Control, Shown, datum_of
from marketplace.tasktypes.label_studio.dialect import (
    Dialect,
    Left,
    Place,
    Unfit,
    as_text,
    control_of,
    key_of,
    messages_of,
    name_of,
    value_of,
    whole,
    words_of,
)
from marketplace.tasktypes.shapes import Json

WHY, NA = "_why", "_na"
NOT_APPLICABLE = "Not applicable"
YES, NO, TIE = "yes", "no", "tie"
MESSAGES = Shown("Paragraphs", "messages", "role", "content")


def rubric_default(template: Json) -> Config:
    """Each aspect is a Number of its key; `<key>_why` gives its reason, `<key>_na` waives it."""
    to = ("response",)
    controls = []
    for each in template.get("aspects", []):
        key = str(each["key"])
        controls.append(Control(key, "Number", to))
        controls.append(Control(f"{key}{NA}", "Choices", to, (NOT_APPLICABLE,)))
        controls.append(Control(f"{key}{WHY}", "TextArea", to))
    return Config({"messages": MESSAGES, "response": Shown("Text", "response")}, tuple(controls))


def rubric_payload(place: Place) -> Json:
    shown = place.config.about(next(iter(place.config.of("Rating", "Number")), None))
    datum = shown.datum if shown else "response"
    text = as_text(datum_of(place.content, datum))
    if not text.strip():
        raise Unfit(f"There is nothing to rate. Send a text as {datum}.")
    return {"messages": messages_of(place, [datum]), "response": text}


def rubric_judgement(place: Place, results: list[Json], left: Left) -> Json:
    keys = {str(each["key"]) for each in place.template.get("aspects", [])}
    ratings: dict[str, Json] = {}
    for each in results:
        value, name = value_of(each), key_of(str(each.get("from_name")))
        score = value.get("number", value.get("rating"))
        words = words_of(value, "text")
        if name in keys and whole_number(score):
            ratings.setdefault(name, {})["score"] = int(score)
        elif name.removesuffix(WHY) in keys and words:
            ratings.setdefault(name.removesuffix(WHY), {})["rationale"] = "\n".join(words)
        elif name.removesuffix(NA) in keys and words_of(value, "choices") == [NOT_APPLICABLE]:
            ratings.setdefault(name.removesuffix(NA), {})["na"] = True
        else:
            left["results_with_no_place_here"] += 1
    return {"ratings": ratings}


def rubric_results(place: Place, judged: Json) -> list[Json]:
    told = []
    for key, rating in sorted(judged["ratings"].items()):
        control = control_of(place.config, key, ("Rating", "Number"), per_region=False)
        if rating.get("score") is not None:
            one = "rating" if control.tag == "Rating" else "number"
            told.append(whole(control, {one: rating["score"]}))
        if rating.get("na"):
            waived = control_of(place.config, f"{key}{NA}", ("Choices",), per_region=False)
            told.append(whole(waived, {"choices": [NOT_APPLICABLE]}))
        if rating.get("rationale"):
            why = control_of(place.config, f"{key}{WHY}", ("TextArea",), per_region=False)
            told.append(whole(why, {"text": [rating["rationale"]]}))
    return told


def calibration_default(template: Json) -> Config:
    """Each dimension is a Number or a Choices of its key; a preference names a response, which
    differ by item, in a TextArea."""
    controls = []
    for each in template.get("aspects", []):
        titles = tuple(str(option["title"]) for option in each.get("options", ()))
        tag = {"score": "Number", "preference": "TextArea"}.get(each["kind"], "Choices")
        offered = (YES, NO) if each["kind"] == "binary" else titles
        controls.append(Control(str(each["key"]), tag, ("messages",), offered))
    shown = {"messages": MESSAGES, "responses": Shown("List", "responses")}
    return Config(shown, tuple(controls))


def calibration_payload(place: Place) -> Json:
    """What the first control is about is the response, if anything else is shown beside it."""
    shown = place.config.about(next(iter(place.config.controls), None))
    datum = shown.datum if shown and len(place.config.shown) > 1 else ""
    value = datum_of(place.content, datum) if datum else None
    found = _responses(value)
    used = [datum] if found else []
    messages = messages_of(place, used)
    if not found and not any(each["content"].strip() for each in messages):
        raise Unfit("There is nothing to judge. Send the text that the configuration shows.")
    return {"messages": messages, **({"responses": found} if found else {})}


def _responses(value: Any) -> list[Json]:
    if isinstance(value, list):
        entries = [
            (name_of(each.get("id", f"r{at}")), as_text(each.get("text") or each.get("body")))
            for at, each in enumerate(value, start=1)
            if isinstance(each, dict) and "role" not in each
        ]
        return [{"id": name, "text": text} for name, text in entries if text]
    text = as_text(value)
    return [{"id": "response", "text": text}] if text.strip() else []


def calibration_judgement(place: Place, results: list[Json], left: Left) -> Json:
    aspects = {str(each["key"]): each for each in place.template.get("aspects", [])}
    verdicts: Json = {}
    for each in results:
        key = key_of(str(each.get("from_name")))
        verdict = _verdict(aspects[key], value_of(each)) if key in aspects else None
        if verdict is None:
            left["results_with_no_place_here"] += 1
        else:
            verdicts[key] = verdict
    return {"verdicts": verdicts}


def _verdict(aspect: Json, value: Json) -> str | int | bool | None:
    """One verdict, None for what is none of this dimension."""
    score = value.get("number", value.get("rating"))
    words = words_of(value, "choices")
    if aspect["kind"] == "preference":
        words = words or words_of(value, "text")
    if aspect["kind"] == "score":
        return int(score) if whole_number(score) else None
    if len(words) != 1:
        return None
    if aspect["kind"] == "binary":
        return {YES: True, "true": True, NO: False, "false": False}.get(words[0].lower())
    if aspect["kind"] == "choice":
        keys = {str(each["title"]): str(each["key"]) for each in aspect["options"]}
        return keys.get(words[0])
    return words[0]


def calibration_results(place: Place, judged: Json) -> list[Json]:
    aspects = {str(each["key"]): each for each in place.template.get("aspects", [])}
    told = []
    for key, verdict in sorted(judged["verdicts"].items()):
        aspect = aspects.get(key, {"kind": "preference"})
        if aspect["kind"] == "score":
            control = control_of(place.config, key, ("Rating", "Number"), per_region=False)
            one = "rating" if control.tag == "Rating" else "number"
            told.append(whole(control, {one: verdict}))
            continue
        titles = {str(each["key"]): str(each["title"]) for each in aspect.get("options", ())}
        words = (YES if verdict else NO) if isinstance(verdict, bool) else str(verdict)
        tags = ("Choices", "TextArea") if aspect["kind"] == "preference" else ("Choices",)
        control = control_of(place.config, key, tags, per_region=False)
        one = "text" if control.tag == "TextArea" else "choices"
        told.append(whole(control, {one: [titles.get(words, words)]}))
    return told


def whole_number(value: Any) -> TypeGuard[float]:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return plain and float(value).is_integer()


RUBRIC = Dialect(
    default=rubric_default,
    payload=rubric_payload,
    judgement=rubric_judgement,
    results=rubric_results,
)
JUDGE_CALIBRATION = Dialect(
    default=calibration_default,
    payload=calibration_payload,
    judgement=calibration_judgement,
    results=calibration_results,
)
