"""Conversations with models, for the task types that hold one: what is asked, what is kept of it.

A conversation is held turn by turn: the specialist says something, each candidate answers, the
specialist chooses, and what was chosen goes on. What was said and answered is stored as it comes
and belongs to the claim; a judgement takes it from there, never from what was sent with a form.
"""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.errors import Fault
from marketplace.tasktypes import fields, pieces
from marketplace.tasktypes.shapes import Json

SLOTS = ("a", "b", "c", "d")
TURNS_MAX = 50
# How many turns there may be where a template does not say.
TURNS_DEFAULT = 10
SAID_MAX = 20_000
ATTEMPTS_MAX = 5

CANDIDATES = pieces.listing(
    pieces.closed({"endpoint": pieces.NAME}, ("endpoint",)), least=1, most=len(SLOTS)
)
CANDIDATES["description"] = (
    "Names of model endpoints, one reply each; the same name twice asks for two samples."
)

_SLOT = pieces.one_of(*SLOTS)
_REPLY = pieces.closed(
    {
        "slot": _SLOT,
        "text": pieces.text(),
        "model": pieces.text(200),
        "endpoint": pieces.text(64),
        "version": pieces.whole(1, 10**9),
        "tokens": pieces.whole(0, 10**9),
        "cut": pieces.FLAG,
    },
    ("slot", "text"),
)
_ATTEMPT = pieces.closed(
    {
        "replies": pieces.listing(_REPLY, least=1, most=len(SLOTS)),
        "order": pieces.listing(_SLOT, least=1, most=len(SLOTS)),
        "choice": pieces.one_of(*SLOTS, "tie", "neither"),
    },
    ("replies", "order", "choice"),
)
_TURN = pieces.closed(
    {
        "said": pieces.text(),
        "attempts": pieces.listing(_ATTEMPT, least=1, most=ATTEMPTS_MAX),
        "choice": pieces.one_of(*SLOTS, "tie"),
        "edit": pieces.text(),
        "reply": pieces.text(),
    },
    ("said", "attempts", "choice", "reply"),
)
TURNS = pieces.listing(_TURN, most=TURNS_MAX)
MESSAGES = pieces.listing(
    pieces.closed(
        {"role": pieces.one_of("user", "assistant"), "content": pieces.text()}, ("role", "content")
    ),
    most=2 * TURNS_MAX,
)
# What a form and a draft also hold: words that are typed and not said yet, changes not made yet.
JUDGEMENT_FIELDS: Json = {
    "turns": TURNS,
    "messages": MESSAGES,
    "saying": pieces.text(),
    "editing": {"type": "object", "additionalProperties": pieces.text()},
}
UNSAID = ("saying", "editing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What a task wants of a conversation.

    endpoints: the lab's model endpoints by name, one candidate reply each; opening: messages that
    stand before the first turn; attempts_max: how often all candidates of a turn may be asked anew.
    """

    endpoints: tuple[str, ...]
    opening: tuple[Json, ...] = ()
    turns_max: int = TURNS_DEFAULT
    attempts_max: int = ATTEMPTS_MAX
    allow_tie: bool = True
    allow_edit: bool = True


def opening_of(payload: Json) -> tuple[Json, ...]:
    """The messages of an item, as a model is sent them."""
    return tuple(
        {"role": each["role"], "content": each["content"]} for each in payload.get("messages", [])
    )


def merged(judgement: Json, seen: Json) -> Json:
    """A judgement with the conversation as it was stored, and without what was typed and not said.

    seen: the payload with `conversation`, where the task has one.
    """
    own = {name: value for name, value in judgement.items() if name not in UNSAID}
    held = seen.get("conversation")
    if held is None:
        return own
    return own | {"turns": held["turns"], "messages": held["messages"]}


def turns_faults(payload: Json, judgement: Json, *, least: int) -> list[Fault]:
    """What keeps a conversation from being handed in: a turn that is open, or too few of them.

    Words that no model answered are no turn: where enough of them were held, they are left out.
    """
    held = payload.get("conversation", {})
    if held.get("state") == "choosing":
        return [Fault("/saying", "Say which reply goes on, or that none does.")]
    if held.get("state") == "waiting":
        return [Fault("/saying", "The reply is on its way. Wait for it, and choose.")]
    count = len(judgement.get("turns", []))
    # Where the endpoint allows no more, what was held is all that can be.
    if count < least and held.get("turns_left", 1) > 0:
        wanted = "one turn" if least == 1 else f"{least} turns"
        return [Fault("/saying", f"Hold at least {wanted} of the conversation; there are {count}.")]
    return []


def edits_sent(sent: fields.Fields) -> Json:
    """What the form's fields `editing.<slot>` hold."""
    below = sent.below("editing")
    found = {slot: below.below(slot).one() for slot in SLOTS}
    return {slot: text for slot, text in found.items() if text is not None}


def is_changed(edit: str, reply: str) -> bool:
    """Whether an edit says anything else than the reply: forms end lines in a way of their own."""
    return fields.unix_lines(edit).strip() != fields.unix_lines(reply).strip()


def real_edits(editing: Json, pending: Json | None) -> Json:
    """The edits that change a reply on offer; a form sends them all, changed or not."""
    replies = {each["slot"]: each["text"] for each in (pending or {}).get("replies", [])}
    return {
        slot: text
        for slot, text in editing.items()
        if slot in replies and is_changed(text, replies[slot])
    }
