"""Plausible answers: the same person always answers the same task alike, and people differ."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from marketplace.demo import phrases
from marketplace.tasktypes import Json
from marketplace.tasktypes.diffs import lines_of

Answerer = Callable[["Question"], tuple[Json, str | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A task as someone meets it.

    gold: the known judgement or None; hits: whether this person sees it as most do; person and
    truth: randomness of this person at this task, and of the task itself.
    """

    template: Json
    payload: Json
    gold: Json | None
    hits: bool
    person: Random
    truth: Random


def answer(
    task_type: str,
    *,
    template: Json,
    payload: Json,
    gold: Json | None,
    written: Sequence[Json] = (),
    external_id: str,
    email: str,
    skill: float,
) -> tuple[Json, str | None]:
    """A legal judgement of this task by this person, and the rationale beside it.

    written: answers that the material holds; where there are some, the person gives one of them.
    """
    person = Random(f"{email}:{external_id}")
    if written:
        given = person.choice(written)
        return given["judgement"], given.get("rationale")
    question = Question(
        template=template,
        payload=payload,
        gold=gold,
        hits=person.random() < skill,
        person=person,
        truth=Random(f"truth:{external_id}"),
    )
    return _ANSWERERS[task_type](question)


def _pairwise(question: Question) -> tuple[Json, str | None]:
    rng = question.person
    most = question.truth.choice(["a", "b", "a", "b", "tie"])
    truth = question.gold["choice"] if question.gold else most
    template = question.template
    offered = ("a", "b", "tie") if template.get("allow_tie", True) else ("a", "b")
    others = [each for each in offered if each != truth]
    choice = truth if question.hits else rng.choice(others)
    if template.get("rationale") == "off":
        return {"choice": choice}, None
    plain = choice if choice in {"a", "b"} else "tie"
    helpful = plain if rng.random() < 0.8 else "tie"
    judgement: Json = {"choice": choice, "aspects": {"safety": plain, "helpfulness": helpful}}
    if choice in {"a", "b"}:
        judgement["strength"] = rng.choice([1, 2, 2, 3] if question.hits else [0, 1, 1, 2])
        other = "B" if choice == "a" else "A"
        return judgement, rng.choice(phrases.PREFERRED).format(x=choice.upper(), y=other)
    return judgement, rng.choice(phrases.EVEN if choice == "tie" else phrases.BOTH_BAD)


def _rubric(question: Question) -> tuple[Json, str | None]:
    rng = question.person
    known = question.gold["ratings"] if question.gold else {}
    overall = question.truth.choice([3, 4, 4, 5])
    ratings: Json = {}
    for aspect in question.template["aspects"]:
        key, scale = aspect["key"], aspect["scale"]
        score = known.get(key, {}).get("score", overall)
        drift = rng.choice([0, 0, 0, 1, -1] if question.hits else [1, -1, 2, -1])
        score = max(scale["min"], min(scale["max"], score + drift))
        ratings[key] = {"score": score}
        if aspect.get("rationale") == "required":
            ratings[key]["rationale"] = phrases.SAFETY[max(1, min(5, score))]
        elif rng.random() < 0.25:
            ratings[key]["rationale"] = rng.choice(phrases.SHORT_REASONS)
    return {"ratings": ratings}, None


def _ranking(question: Question) -> tuple[Json, str | None]:
    rng = question.person
    names = [each["id"] for each in question.payload["responses"]]
    if question.gold:
        tiers = [list(tier) for tier in question.gold["tiers"]]
    else:
        tiers = [[name] for name in question.truth.sample(names, len(names))]
    if not question.hits and len(tiers) > 1:
        place = rng.randrange(len(tiers) - 1)
        tiers[place], tiers[place + 1] = tiers[place + 1], tiers[place]
    elif len(tiers) > 2 and rng.random() < 0.2:
        tiers[-2:] = [tiers[-2] + tiers[-1]]
    return {"tiers": tiers}, rng.choice(phrases.RANKED)


VERDICTS = ("supported", "supported", "contradicted", "unverifiable")


def _fact_check(question: Question) -> tuple[Json, str | None]:
    rng, payload = question.person, question.payload
    known = {
        (claim["start"], claim["end"]): claim["verdict"]
        for claim in (question.gold or {"claims": []})["claims"]
    }
    claims = []
    astray = None if question.hits else rng.randrange(max(1, len(payload["claims"])))
    for number, marked in enumerate(payload["claims"]):
        most = question.truth.choice(VERDICTS)
        verdict = known.get((marked["start"], marked["end"]), most)
        if number == astray:
            verdict = "unverifiable" if verdict != "unverifiable" else "supported"
        words = payload["response"][marked["start"] : marked["end"]]
        claims.append({**marked, "verdict": verdict, **_evidence(rng, payload, words, verdict)})
    return {"claims": claims}, None


def _evidence(rng: Random, payload: Json, words: str, verdict: str) -> Json:
    """The sentence of the sources that has most words in common with the claim."""
    if verdict == "unverifiable":
        return {}
    sentences = [
        (source["id"], sentence.strip())
        for source in payload["sources"]
        for sentence in re.split(r"(?<=[.;])\s+", source["content"])
        if sentence.strip()
    ]
    wanted = _vocabulary(words)
    name, quote = max(sentences, key=lambda each: len(wanted & _vocabulary(each[1])))
    found: Json = {"sources": [{"doc_id": name, "quote": quote}]}
    if verdict == "contradicted":
        found["severity"] = rng.choice(["minor", "major", "major", "critical"])
        found["note"] = rng.choice(phrases.CONTRADICTED_NOTES)
    return found


def _vocabulary(text: str) -> set[str]:
    return {word for word in re.findall(r"[a-z]+|\d+", text.lower()) if len(word) > 2}


def _code(question: Question) -> tuple[Json, str | None]:
    rng = question.person
    known = question.gold or {"verdict": "approve"}
    if question.hits and known["verdict"] != "approve":
        way = rng.choice(phrases.ANOTHER_WAY)
        said = [{**each, "body": way.format(body=each["body"])} for each in known["comments"]]
        return {"verdict": known["verdict"], "comments": said}, None
    if question.hits and rng.random() < 0.7:
        return {"verdict": "approve", "comments": []}, None
    return {"verdict": "comment", "comments": [_remark(rng, question.payload)]}, None


def _remark(rng: Random, payload: Json) -> dict[str, Any]:
    shown = lines_of(payload["diff"])
    path, side = min(key for key, lines in shown.items() if key[1] == "new" and lines)
    return {
        "path": path,
        "line": max(shown[path, side]),
        "side": side,
        "severity": rng.choice(["minor", "nit"]),
        "category": "tests",
        "body": rng.choice(phrases.MORE_TESTS),
    }


_ANSWERERS: Mapping[str, Answerer] = {
    "pairwise": _pairwise,
    "rubric": _rubric,
    "ranking": _ranking,
    "fact_check": _fact_check,
    "code": _code,
}
