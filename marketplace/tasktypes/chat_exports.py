"""Conversations as trees, as preferences, as messages, and as Label Studio's chat messages.

The unit of the preference export is a turn, of the others a judgement; each is kept or dropped with
a reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from marketplace.tasktypes import preferences
from marketplace.tasktypes.exports import Counts, ExportRow, Policy, catalogue
from marketplace.tasktypes.formats import EVERY, tuning
from marketplace.tasktypes.formats import preferences as formats
from marketplace.tasktypes.formats.annotations import LABEL_STUDIO
from marketplace.tasktypes.label_studio.dialect import whole
from marketplace.tasktypes.label_studio.going_out import CHAT
from marketplace.tasktypes.label_studio.writing import rationale_of
from marketplace.tasktypes.records import AuthoredJudgement, Record
from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.trees import Tree, spoken_of, system_of


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


def openai_sft(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """The conversation as it went on; answers that stood before it carry no weight."""
    for record, given in held(records, counts):
        counts.keep()
        yield preferences.openai_messages(opening(record), given.judgement["messages"])


@dataclass(frozen=True, slots=True)
class Preferred:
    """A reply that a turn preferred to another; history: what was said before both."""

    record: Record
    turn: int
    history: list[Json]
    chosen: str
    rejected: str


def preferred(records: Iterable[Record], counts: Counts) -> Iterator[list[Preferred]]:
    """For each turn that prefers a reply the pairs of it; the caller keeps or drops the turn.

    What the specialist wrote over a reply is preferred to that reply, and to the others. Replies
    of attempts that ended with “neither” lose against an edit, since it says what was wanted, and
    against nothing else: they were seen at another moment than the reply that went on.
    """
    for record, given in held(records, counts):
        history = opening(record)
        for number, turn in enumerate(given.judgement["turns"], 1):
            history = [*history, {"role": "user", "content": turn["said"]}]
            losers = rejected(turn)
            if losers:
                chosen = turn["reply"]
                yield [Preferred(record, number, history, chosen, text) for text in losers]
            else:
                counts.drop("tie" if turn["choice"] == "tie" else "nothing_to_prefer")
            history = [*history, *preferences.answer(turn["reply"])]


def trl_preference(
    records: Iterable[Record], _policy: Policy, counts: Counts
) -> Iterator[ExportRow]:
    """A row for each reply that a turn preferred to another, with the history as its prompt."""
    for pairs in preferred(records, counts):
        counts.keep()
        for pair in pairs:
            yield {
                "external_id": pair.record.external_id,
                "turn": pair.turn,
                "prompt": pair.history,
                "chosen": preferences.answer(pair.chosen),
                "rejected": preferences.answer(pair.rejected),
            }


def openai_dpo(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    for pairs in preferred(records, counts):
        counts.keep()
        for pair in pairs:
            yield preferences.openai_pair({"messages": pair.history}, pair.chosen, pair.rejected)


def hh_rlhf(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """Whole dialogues up to a turn; here each pair of replies is a unit counted."""
    for pairs in preferred(records, counts):
        for pair in pairs:
            row = preferences.hh_row(pair.history, pair.chosen, pair.rejected, counts)
            if row is not None:
                yield row


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
        spoken = spoken_of(opening(record))
        if spoken and spoken[0]["role"] == "assistant":
            counts.drop("assistant_began")
            continue
        counts.keep()
        tree = Tree(record, given)
        tree.open(spoken)
        for number, turn in enumerate(given.judgement["turns"]):
            tree.say(f"t{number}", "user", turn["said"])
            tree.at = replies(tree, number, turn)
        yield tree.row(system_of(opening(record)))


def replies(tree: Tree, number: int, turn: Json) -> Json:
    """Add the replies of a turn, ranked; the one that goes on.

    An edit comes first, then the reply that was chosen, then the others of its attempt; a tie
    shares a rank. Those of attempts that ended with “neither” come last.
    """
    is_edited = "edit" in turn
    found = []
    goes_on: Json | None = None
    if is_edited:
        goes_on = tree.reply(f"t{number}e", turn["reply"], rank=0)
        found.append(goes_on)
    attempts = turn["attempts"]
    for at, attempt in reversed(list(enumerate(attempts))):
        for reply in attempt["replies"]:
            rank = rank_of(reply, attempt, is_edited=is_edited, back=len(attempts) - 1 - at)
            node = tree.reply(f"t{number}a{at}{reply['slot']}", reply["text"], rank=rank)
            node |= {"synthetic": True, "model_name": reply.get("model")}
            found.append(node)
            is_last = at == len(attempts) - 1
            if goes_on is None and is_last and goes(reply, attempt):
                goes_on = node
    tree.sort()
    return goes_on or min(found, key=lambda node: int(node["rank"]))


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
    formats.OASST.by(oasst),
    formats.TRL_PREFERENCE.by(
        trl_preference,
        title="TRL preference, a row a turn",
        says="Each turn of a conversation that preferred a reply gives rows of its own, with all "
        "that was said before as the prompt.",
        more=(formats.TURN,),
        policies=EVERY,
    ),
    formats.OPENAI_DPO.by(openai_dpo, policies=EVERY),
    formats.HH_RLHF.by(hh_rlhf, policies=EVERY),
    tuning.TRL_MESSAGES.by(trl_messages),
    tuning.OPENAI_SFT.by(openai_sft),
    LABEL_STUDIO.by(label_studio),
)
