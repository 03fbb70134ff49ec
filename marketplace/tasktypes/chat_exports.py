"""Conversations as trees, as preferences, as messages, and as Label Studio's chat messages.

The unit of the preference export is a turn, of the others a judgement; each is kept or dropped with
a reason. Ids follow from the judgement's own id and the place in it, so the same judgement gives
the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from marketplace.tasktypes import preferences
from marketplace.tasktypes.exports import Counts, Exporter, ExportRow, Policy, catalogue
from marketplace.tasktypes.label_studio.dialect import whole
from marketplace.tasktypes.label_studio.going_out import CHAT
from marketplace.tasktypes.label_studio.writing import rationale_of
from marketplace.tasktypes.records import AuthoredJudgement, Record
from marketplace.tasktypes.shapes import Json

ALL = frozenset({Policy.ALL})

# OpenAssistant names languages by their tags.
TAGS = {"english": "en"}


def opening(record: Record) -> list[Json]:
    """The messages that stood before the first turn, with the fields that trainers know."""
    return preferences.prompt_of({"messages": record.payload.get("messages", [])})


def held(records: Iterable[Record], counts: Counts) -> Iterator[tuple[Record, AuthoredJudgement]]:
    """Every judgement that holds a turn; items without judgements and empty ones are counted."""
    for record in records:
        if not record.judgements:
            counts.drop("no_judgement")
        for given in record.in_order():
            if given.judgement.get("turns"):
                yield record, given
            else:
                counts.drop("no_turn")


def trl_messages(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """The conversation as it went on, for supervised training."""
    for record, given in held(records, counts):
        counts.keep()
        yield {
            "external_id": record.external_id,
            "messages": [*opening(record), *given.judgement["messages"]],
        }


def trl_preference(
    records: Iterable[Record], _policy: Policy, counts: Counts
) -> Iterator[ExportRow]:
    """A row for each reply that a turn preferred to another, with the history as its prompt.

    What the specialist wrote over a reply is preferred to that reply, and to the others. Replies
    of attempts that ended with “neither” lose against an edit, since it says what was wanted, and
    against nothing else: they were seen at another moment than the reply that went on.
    """
    for record, given in held(records, counts):
        history = opening(record)
        for number, turn in enumerate(given.judgement["turns"], 1):
            history = [*history, {"role": "user", "content": turn["said"]}]
            losers = rejected(turn)
            if not losers:
                counts.drop("tie" if turn["choice"] == "tie" else "nothing_to_prefer")
            else:
                counts.keep()
            for text in losers:
                yield {
                    "external_id": record.external_id,
                    "turn": number,
                    "prompt": history,
                    "chosen": preferences.answer(turn["reply"]),
                    "rejected": preferences.answer(text),
                }
            history = [*history, *preferences.answer(turn["reply"])]


def rejected(turn: Json) -> list[str]:
    """The replies of a turn that lost to what went on, each once, none the same as that."""
    is_edited = "edit" in turn
    last = turn["attempts"][-1]
    lost = [
        each["text"]
        for each in last["replies"]
        if is_edited or (turn["choice"] != "tie" and each["slot"] != turn["choice"])
    ]
    if is_edited:
        lost += [each["text"] for attempt in turn["attempts"][:-1] for each in attempt["replies"]]
    return [text for text in dict.fromkeys(lost) if text != turn["reply"]]


def oasst(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """Message trees as OpenAssistant published them: prompter and assistant, replies ranked.

    The format begins with a prompter and knows no system: such messages stand under `system`
    beside the tree, and a conversation that an assistant began is dropped.
    """
    for record, given in held(records, counts):
        spoken = [each for each in opening(record) if each["role"] in {"user", "assistant"}]
        if spoken and spoken[0]["role"] == "assistant":
            counts.drop("assistant_began")
            continue
        counts.keep()
        yield Tree(record, given).row(spoken)


class Tree:
    """One judgement as a tree."""

    def __init__(self, record: Record, given: AuthoredJudgement) -> None:
        self.record, self.given = record, given
        self.id = self._id("")

    def _id(self, place: str) -> str:
        digest = hashlib.sha256(f"{self.given.annotation_id}/{place}".encode()).digest()
        return str(UUID(bytes=digest[:16], version=5))

    def row(self, spoken: list[Json]) -> ExportRow:
        """The whole tree; spoken: what was said before the first turn."""
        top: list[Json] = []
        above, parent = top, None
        for number, message in enumerate(spoken):
            node = self._node(f"o{number}", parent, message["role"], message["content"])
            above.append(node)
            above, parent = node["replies"], node["message_id"]
        for number, turn in enumerate(self.given.judgement["turns"]):
            said = self._node(f"t{number}", parent, "user", turn["said"])
            above.append(said)
            goes_on = self._replies(number, turn, said)
            above, parent = goes_on["replies"], goes_on["message_id"]
        system = [
            e["content"] for e in opening(self.record) if e["role"] in {"system", "developer"}
        ]
        return {
            "message_tree_id": top[0]["message_id"],
            "tree_state": "ready_for_export",
            "origin": self.record.external_id,
            "prompt": top[0],
            **({"system": "\n\n".join(system)} if system else {}),
        }

    def _replies(self, number: int, turn: Json, said: Json) -> Json:
        """Add the replies of a turn, ranked; the one that goes on.

        An edit comes first, then the reply that was chosen, then the others of its attempt; a tie
        shares a rank. Those of attempts that ended with “neither” come last.
        """
        is_edited, parent = "edit" in turn, said["message_id"]
        goes_on: Json | None = None
        if is_edited:
            goes_on = self._node(f"t{number}e", parent, "assistant", turn["reply"], rank=0)
            said["replies"].append(goes_on)
        attempts = turn["attempts"]
        for at, attempt in reversed(list(enumerate(attempts))):
            for reply in attempt["replies"]:
                rank = rank_of(reply, attempt, is_edited=is_edited, back=len(attempts) - 1 - at)
                node = self._node(
                    f"t{number}a{at}{reply['slot']}", parent, "assistant", reply["text"], rank=rank
                )
                node |= {"synthetic": True, "model_name": reply.get("model")}
                said["replies"].append(node)
                is_last = at == len(attempts) - 1
                if goes_on is None and is_last and goes(reply, attempt):
                    goes_on = node
        said["replies"].sort(key=lambda node: node["rank"])
        return goes_on or said["replies"][0]

    def _node(
        self, place: str, parent: str | None, role: str, text: str, rank: int | None = None
    ) -> Json:
        return {
            "message_id": self._id(place),
            "parent_id": parent,
            "user_id": self.given.author if place.startswith("t") else None,
            "text": text,
            "role": "prompter" if role == "user" else "assistant",
            "lang": TAGS.get(self.record.language, self.record.language),
            "synthetic": False,
            "model_name": None,
            "rank": rank,
            "created_date": self.given.submitted_at,
            "review_count": 0,
            "review_result": None,
            "deleted": False,
            "emojis": {},
            "labels": {},
            "events": {},
            "replies": [],
        }


def goes(reply: Json, attempt: Json) -> bool:
    """Whether a reply is the one that its attempt went on with."""
    choice = attempt["choice"]
    return bool(reply["slot"] == (attempt["order"][0] if choice == "tie" else choice))


def rank_of(reply: Json, attempt: Json, *, is_edited: bool, back: int) -> int:
    """0 is best; back: how many attempts before the last one this was."""
    best = 1 if is_edited else 0
    if back:
        return best + 1 + back
    is_best = attempt["choice"] == "tie" or reply["slot"] == attempt["choice"]
    return best if is_best else best + 1


def label_studio(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """A task an item with its opening under `chat`, and an annotation a judgement whose results are
    the messages of the Chat tag."""
    for record in records:
        annotations = [
            annotation(given, record.template)
            for given in record.in_order()
            if given.judgement.get("turns")
        ]
        if not annotations:
            counts.drop("no_turn" if record.judgements else "no_judgement")
            continue
        counts.keep()
        facts = {
            name: record.payload[name]
            for name in ("scenario", "persona")
            if record.payload.get(name)
        }
        yield {
            "data": {"chat": opening(record), **facts},
            "meta": {"external_id": record.external_id, "item_id": record.item_id},
            "annotations": annotations,
        }


def annotation(given: AuthoredJudgement, template: Json) -> Json:
    """A judgement's messages in the order in which they were said, times left out: none is known of
    a single message."""
    results = [
        {
            "id": f"m{number}",
            "from_name": "chat",
            "to_name": "chat",
            "type": "chatmessage",
            "origin": "manual" if message["role"] == "user" else "prediction",
            "value": {"chatmessage": dict(message)},
        }
        for number, message in enumerate(given.judgement["messages"], 1)
    ]
    ratings: dict[str, Any] = given.judgement.get("ratings", {})
    results += [
        {
            "id": f"r_{key}",
            "from_name": key,
            "to_name": "chat",
            "type": "number",
            "origin": "manual",
            "value": {"number": rating["score"]},
        }
        for key, rating in sorted(ratings.items())
        if rating.get("score") is not None
    ]
    if given.rationale:
        why = rationale_of(CHAT.default(template))
        results.append({**whole(why, {"text": [given.rationale]}), "origin": "manual"})
    return {
        "meta": {"author": given.author},
        "created_at": given.submitted_at,
        "was_cancelled": False,
        "ground_truth": False,
        "lead_time": given.active_seconds,
        "result": results,
        "result_count": len(results),
        "unique_id": given.annotation_id,
    }


EXPORTS = catalogue(
    Exporter(key="oasst", title="OpenAssistant trees", convert=oasst, policies=ALL),
    Exporter(
        key="trl_preference",
        title="TRL preference, a row a turn",
        convert=trl_preference,
        policies=ALL,
    ),
    Exporter(key="trl_messages", title="TRL messages (SFT)", convert=trl_messages, policies=ALL),
    Exporter(
        key="label_studio",
        title="Label Studio, tasks with annotations",
        convert=label_studio,
        policies=ALL,
        suffix=".json",
        frame=(b"[\n", b",\n", b"]\n"),
    ),
)
