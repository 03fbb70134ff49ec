"""OpenAssistant trees: each place where somebody may answer becomes an item.

A ranking and a pair have the answers that stand there, a rating has one of them, a demonstration
and the writing of rubrics have what leads to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson

from marketplace.errors import Fault
from marketplace.jobs.rules.imports.contract import Head, Kind, Reading, Source, item
from marketplace.jobs.rules.imports.objects import documents_of
from marketplace.jobs.rules.lifecycle import ImportKind, Labels
from marketplace.jobs.rules.ndjson import Line
from marketplace.tasktypes import Json
from marketplace.tasktypes.traces.values import members, objects, present, text

MODEL = "openassistant"
ROLES = {"prompter": "user", "assistant": "assistant"}
ANSWERS_MAX = 20
# A tree says its messages once; its items say those on the way to them again and again.
TREE_BYTES_MAX = 32 * 1024 * 1024
Turn = tuple[Json, list[Json]]


def lines(source: Source, reading: Reading, after: Line | None) -> Iterator[Line]:
    """The items of each tree; all have the number and the end of their tree."""
    made = MAKERS[reading.task_type]
    for number, content, end in documents_of(source, after):
        spent = 0
        for row in [content] if isinstance(content, Fault) else _rows(content, reading, made):
            spent += len(row) if isinstance(row, bytes) else 0
            if spent > TREE_BYTES_MAX:
                yield Line(number, Fault("", "This tree is too large. Split it."), end)
                break
            yield Line(number, row, end)


def _rows(content: bytes, reading: Reading, made: Maker) -> Iterator[bytes | Fault]:
    try:
        tree = orjson.loads(content)
    except orjson.JSONDecodeError as wrong:
        yield Fault("", f"This is not JSON: {wrong}.")
        return
    prompt = members(members(tree).get("prompt"))
    if not text(prompt.get("text")).strip():
        yield Fault("", "This is no message tree: it has no “prompt” with a text.")
        return
    for node, thread in _turns(prompt):
        yield from made(node, thread, reading)


def _turns(prompt: Json) -> Iterator[Turn]:
    """Each message of a person that stands, with the thread that it ends."""
    waiting: list[tuple[Json, tuple[Any, ...]]] = [(prompt, ())]
    while waiting:
        node, above = waiting.pop()
        if node.get("deleted") or not text(node.get("text")).strip():
            continue
        # Threads share their beginnings, so that a long one costs one link a message.
        thread = (node, above)
        if node.get("role") != "assistant":
            yield node, _messages(thread)
        waiting += [(each, thread) for each in reversed(objects(node.get("replies")))]


def _messages(thread: tuple[Any, ...]) -> list[Json]:
    found: list[Json] = []
    while thread:
        node, thread = thread
        role = ROLES.get(node.get("role"), "user")
        found.append({"role": role, "content": text(node.get("text"))})
    return found[::-1]


def _answers(node: Json) -> list[Json]:
    """The answers that stand, the best first as far as they were ranked."""
    stand = [
        each
        for each in objects(node.get("replies"))
        if each.get("role") == "assistant" and not each.get("deleted") and _words(each)
    ]
    return sorted(stand, key=lambda each: (_rank(each) is None, _rank(each) or 0))


def _words(node: Json) -> str:
    return text(node.get("text")).strip()


def _rank(node: Json) -> int | None:
    rank = node.get("rank")
    return rank if type(rank) is int else None


def _about(node: Json, *answers: Json) -> Json:
    models = [each.get("model_name") for each in answers]
    return present({"lang": node.get("lang"), "models": [each for each in models if each]})


def _payload(node: Json, thread: list[Json], *answers: Json) -> Json:
    return present({"messages": thread, "metadata": _about(node, *answers)})


def _ranking(node: Json, thread: list[Json], reading: Reading) -> Iterator[bytes | Fault]:
    answers = _answers(node)
    if len(answers) < 2:
        reading.left["fewer_than_two_answers"] += 1
        return
    reading.left["more_than_twenty_answers"] += max(0, len(answers) - ANSWERS_MAX)
    answers = answers[:ANSWERS_MAX]
    # Their order in the file is their rank: by their ids it says nothing.
    shown = sorted(answers, key=lambda each: text(each.get("message_id")))
    payload = _payload(node, thread, *shown)
    payload["responses"] = [{"id": each["message_id"], "text": each["text"]} for each in shown]
    ranked = all(_rank(each) is not None for each in answers)
    tiers: dict[int | None, list[str]] = {}
    for each in answers:
        tiers.setdefault(_rank(each), []).append(each["message_id"])
    said = {"tiers": list(tiers.values())} if ranked else None
    yield item(node.get("message_id"), payload, judgement=said, reading=reading, model=MODEL)


def _pair(node: Json, thread: list[Json], reading: Reading) -> Iterator[bytes | Fault]:
    """The best and the last of the answers."""
    answers = _answers(node)
    if len(answers) < 2:
        reading.left["fewer_than_two_answers"] += 1
        return
    reading.left["answer_between_best_and_last"] += len(answers) - 2
    best, last = answers[0], answers[-1]
    one, two = sorted((best, last), key=lambda each: text(each.get("message_id")))
    payload = {**_payload(node, thread, one, two), "a": one["text"], "b": two["text"]}
    ranked = None not in (_rank(best), _rank(last)) and _rank(best) != _rank(last)
    said = {"choice": "a" if one is best else "b"} if ranked else None
    yield item(node.get("message_id"), payload, judgement=said, reading=reading, model=MODEL)


def _rating(node: Json, thread: list[Json], reading: Reading) -> Iterator[bytes | Fault]:
    for answer in _answers(node):
        payload = {**_payload(node, thread, answer), "response": answer["text"]}
        yield item(answer.get("message_id"), payload, reading=reading)


def _demonstration(node: Json, thread: list[Json], reading: Reading) -> Iterator[bytes | Fault]:
    answers = _answers(node)
    said = {"messages": [{"role": "assistant", "content": answers[0]["text"]}]} if answers else None
    payload = _payload(node, thread)
    yield item(node.get("message_id"), payload, judgement=said, reading=reading, model=MODEL)


def _thread(node: Json, thread: list[Json], reading: Reading) -> Iterator[bytes | Fault]:
    yield item(node.get("message_id"), _payload(node, thread), reading=reading)


Maker = Callable[[Json, list[Json], Reading], Iterator[bytes | Fault]]
MAKERS: dict[str, Maker] = {
    "ranking": _ranking,
    "pairwise": _pair,
    "rubric": _rating,
    "critique_revise": _rating,
    "demonstration": _demonstration,
    "rubric_writing": _thread,
}


def fits(head: Head) -> bool:
    """A tree of messages with its prompt."""
    return head.json and {"message_tree_id", "prompt"} <= head.first.keys()


OASST = Kind(
    key=ImportKind.OASST,
    title="OpenAssistant trees",
    told="Each message that somebody answered becomes an item, with what led to it.",
    fits=fits,
    lines=lines,
    task_types=frozenset(MAKERS),
    labels=(Labels.LEAVE, Labels.GOLD, Labels.PRELABELS),
)
