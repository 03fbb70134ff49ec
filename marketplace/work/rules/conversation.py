"""A conversation, folded from its journal: whose turn it is, and what was said.

The journal is rows of five kinds. `said`: turn, text. `asked`: turn, ask (its id), until (RFC 3339;
after it nobody waits for this call any more). `replied`: turn, ask, replies and their order on the
screen. `failed`: turn, ask, code, told. `chosen`: turn, choice, and the edit where there was one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from marketplace.errors import Conflict, Refused
from marketplace.tasktypes.conversation import Brief

Json = dict[str, Any]
# Failures included: one person's patience must not use up a job's budget.
ASKS_A_TURN_MAX = 15
LOST = "The reply did not arrive in time. Nothing of yours is lost: ask again."
HIDDEN = frozenset({"model", "endpoint", "version", "tokens"})


class EntryKind(StrEnum):
    """What a row of the journal says."""

    SAID = "said"
    ASKED = "asked"
    REPLIED = "replied"
    FAILED = "failed"
    CHOSEN = "chosen"


class TalkState(StrEnum):
    """What is due: words of the specialist, a reply, another try at one, a choice, nothing."""

    OPEN = "open"
    WAITING = "waiting"
    UNANSWERED = "unanswered"
    CHOOSING = "choosing"
    ENDED = "ended"


class TurnMoved(Conflict):
    """Another window went on with the conversation."""

    code = "turn_moved"


class TalkOver(Refused):
    """The conversation takes no further turn, or no further attempt at one."""

    code = "conversation_over"


@dataclass(slots=True)
class Talk:
    """A conversation as far as its journal goes.

    pending: the turn that is not finished; asks: how often its candidates were asked.
    """

    brief: Brief
    turns: list[Json] = field(default_factory=list)
    pending: Json | None = None
    asks: int = 0
    waits_for: str | None = None
    waits_until: datetime | None = None
    told: str = ""

    def state(self, now: datetime) -> TalkState:
        """What is due at this moment."""
        if self.pending is not None:
            if self.pending["replies"]:
                return TalkState.CHOOSING
            is_waiting = self.waits_until is not None and now < self.waits_until
            return TalkState.WAITING if is_waiting else TalkState.UNANSWERED
        return TalkState.ENDED if len(self.turns) >= self.brief.turns_max else TalkState.OPEN

    @property
    def turn(self) -> int:
        """The turn that is due, from 1."""
        return len(self.turns) + 1

    @property
    def attempt(self) -> int:
        """The attempt at the turn that is due, from 1; each `neither` begins another."""
        return len(self.pending["attempts"]) + 1 if self.pending else 1

    def said(self, turn: int) -> str | None:
        """What was said in the turn that is due, or in the one before; None where nothing was."""
        spoken = {self.turn: self.pending, self.turn - 1: self.turns[-1] if self.turns else None}
        found = spoken.get(turn)
        return None if found is None else str(found["said"])

    @property
    def messages(self) -> list[Json]:
        """What goes on in the history, without the opening."""
        return [
            message
            for turn in self.turns
            for message in (
                {"role": "user", "content": turn["said"]},
                {"role": "assistant", "content": turn["reply"]},
            )
        ]

    def question(self) -> list[Json]:
        """The messages that the candidates of the pending turn are sent."""
        said = [{"role": "user", "content": self.pending["said"]}] if self.pending else []
        return [*self.brief.opening, *self.messages, *said]

    def shown(self, now: datetime) -> Json:
        """The conversation as a payload carries it, with the names of models."""
        told = self.told
        if self.state(now) is TalkState.UNANSWERED and self.waits_for is not None:
            told = LOST
        return {
            "state": self.state(now).value,
            "turn": self.turn,
            "attempt": self.attempt,
            "turns_left": max(0, self.brief.turns_max - len(self.turns)),
            "turns": self.turns,
            "messages": self.messages,
            "pending": self.pending,
            "told": told,
            "allow_tie": self.brief.allow_tie,
            "allow_edit": self.brief.allow_edit,
            "may_ask_anew": self.pending is not None and self.attempt < self.brief.attempts_max,
        }


def talk_of(brief: Brief, entries: Iterable[tuple[EntryKind, Json]]) -> Talk:
    """The conversation that a journal, in its order, has led to."""
    talk = Talk(brief)
    for kind, content in entries:
        _ADD[kind](talk, content)
    return talk


def _said(talk: Talk, content: Json) -> None:
    talk.pending = {"said": content["text"], "attempts": [], "replies": [], "order": []}
    talk.asks = 0
    talk.told = ""


def _asked(talk: Talk, content: Json) -> None:
    talk.asks += 1
    talk.waits_for, talk.waits_until = content["ask"], datetime.fromisoformat(content["until"])
    talk.told = ""


def _replied(talk: Talk, content: Json) -> None:
    if talk.pending is not None and not talk.pending["replies"]:
        talk.pending |= {"replies": content["replies"], "order": content["order"]}
        talk.waits_for = talk.waits_until = None
        talk.told = ""


def _failed(talk: Talk, content: Json) -> None:
    if talk.waits_for == content["ask"]:
        talk.waits_for = talk.waits_until = None
        talk.told = content["told"]


def _chosen(talk: Talk, content: Json) -> None:
    pending = talk.pending
    if pending is None or not pending["replies"]:
        return
    attempt = {name: pending[name] for name in ("replies", "order")} | {"choice": content["choice"]}
    attempts = [*pending["attempts"], attempt]
    if content["choice"] == "neither":
        talk.pending = pending | {"attempts": attempts, "replies": [], "order": []}
        return
    edit = content.get("edit")
    turn = {
        "said": pending["said"],
        "attempts": attempts,
        "choice": content["choice"],
        "reply": edit if edit is not None else text_of(attempt, content["choice"]),
    }
    talk.turns.append(turn if edit is None else turn | {"edit": edit})
    talk.pending = None


_ADD = {
    EntryKind.SAID: _said,
    EntryKind.ASKED: _asked,
    EntryKind.REPLIED: _replied,
    EntryKind.FAILED: _failed,
    EntryKind.CHOSEN: _chosen,
}


def text_of(attempt: Mapping[str, Any], choice: str) -> str:
    """The reply that a choice goes on with; at a tie the one that was shown first."""
    slot = attempt["order"][0] if choice == "tie" else choice
    return next(str(each["text"]) for each in attempt["replies"] if each["slot"] == slot)


def judgement_for_author(judgement: Any) -> Any:
    """A judgement as its author reads it again; which model spoke stays with the lab, since the
    author may go on to other tasks of the job."""
    if not isinstance(judgement, dict) or "turns" not in judgement:
        return judgement
    # Of the rest nothing is hidden: an aspect that is rated may be called `version`.
    return judgement | for_author({"turns": judgement["turns"]})


def for_author(shown: Json) -> Json:
    """The conversation as its specialist sees it: nothing of it says which model spoke."""

    def blind(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: blind(each) for name, each in value.items() if name not in HIDDEN}
        return [blind(each) for each in value] if isinstance(value, list) else value

    return {name: blind(value) for name, value in shown.items()}
