"""Talking to models in a task: say, ask, record, choose; each stored before it is shown.

Asking takes three steps, so that no transaction waits for the network: `ask_models` stores the
intention and gives the calls, `endpoints.gateway.ask` makes them, `record_replies` stores what came
of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.endpoints import queries as endpoint_queries
from marketplace.endpoints import service as endpoints
from marketplace.endpoints.gateway import Call, Reply
from marketplace.endpoints.rules import Outcome, told
from marketplace.errors import Fault, Faulty, Missing
from marketplace.ids import ClaimId, new_id
from marketplace.jobs.models import Job
from marketplace.tasktypes import conversation, order, pieces
from marketplace.work import rules
from marketplace.work.models import Claim, ConversationEntry
from marketplace.work.queries import material
from marketplace.work.queries.conversations import talk_held
from marketplace.work.rules import ClaimState, EntryKind, Talk, TalkOver, TalkState, TurnMoved
from marketplace.work.service.claims import heartbeat, own_claim

# Beyond the time limit of the call itself: for the way to the database and back.
MARGIN = timedelta(seconds=10)
MOVED = "Another window went on with this conversation. This is how it stands now."


@dataclass(frozen=True, slots=True)
class Question:
    """What a turn asks: the calls to make, under the id that `record_replies` knows it by."""

    claim_id: ClaimId
    turn: int
    ask: str
    order: list[str]
    calls: list[Call]


@dataclass(frozen=True, slots=True)
class _Held:
    claim: Claim
    job: Job
    talk: Talk


def say(
    session: Session, actor: Actor, claim_id: ClaimId, *, fence: int, turn: int, text: str
) -> None:
    """Store what the specialist says; the same words again, as by a double click, change nothing,
    also where the turn has its reply by now.

    Raises TurnMoved where another window has spoken, TalkOver after the last turn.
    """
    held = _held(session, actor, claim_id, fence)
    talk = held.talk
    if talk.said(turn) == text:
        return
    if turn != talk.turn or talk.pending is not None:
        raise TurnMoved(MOVED)
    if talk.state(clock.now()) is TalkState.ENDED:
        raise TalkOver("This conversation has all its turns. Finish below, and hand it in.")
    rules.refuse_unstorable({"saying": text})
    if not text.strip() or len(text) > conversation.SAID_MAX:
        words = f"Write something, at most {conversation.SAID_MAX:,} characters."
        raise Faulty("There is nothing to say yet.", [Fault("/saying", words)])
    _add(session, held.claim, EntryKind.SAID, {"turn": turn, "text": text})


def ask_models(
    session: Session, actor: Actor, claim_id: ClaimId, *, fence: int, turn: int
) -> Question | None:
    """Store that the candidates are asked, and give the calls; None where there is nothing to ask.

    Each call is counted against the job's budget first (BudgetSpent). Asked again while an earlier
    question is on its way, it gives None: nobody asks twice.
    """
    held = _held(session, actor, claim_id, fence)
    talk, now = held.talk, clock.now()
    if turn not in (talk.turn, talk.turn - 1):
        raise TurnMoved(MOVED)
    # The last turn has its reply, as where a lone candidate's answer was lost on its way back.
    if turn != talk.turn or talk.state(now) is not TalkState.UNANSWERED:
        return None
    if talk.asks >= rules.ASKS_A_TURN_MAX:
        raise TalkOver(
            "The models were asked often enough in this turn. Hand in what you have, or leave the "
            "task and say that it cannot be answered; nothing is held against you."
        )
    there = endpoint_queries.named(session, held.job.organisation_id, talk.brief.endpoints)
    if set(talk.brief.endpoints) - there.keys():
        raise TalkOver(told(Outcome.NOT_FOUND))
    chosen = [there[name] for name in talk.brief.endpoints]
    endpoints.take_calls(session, held.job.id, chosen)
    slots = list(conversation.SLOTS[: len(chosen)])
    messages = talk.question()
    seed = f"{held.claim.seat_id}:{turn}:{talk.asks}"
    question = Question(
        claim_id=held.claim.id,
        turn=turn,
        ask=str(new_id()),
        order=order.permuted(slots, seed),
        calls=[
            endpoints.call_of(endpoint, slot, messages)
            for slot, endpoint in zip(slots, chosen, strict=True)
        ],
    )
    longest = max(call.timeout_seconds for call in question.calls)
    until = now + timedelta(seconds=longest) + MARGIN
    asked = {"turn": turn, "ask": question.ask, "until": until.isoformat()}
    _add(session, held.claim, EntryKind.ASKED, asked)
    return question


def record_replies(session: Session, question: Question, replies: Sequence[Reply]) -> None:
    """Store the replies, or why there are none. What nobody waits for any more is left out.

    A lone candidate's reply goes on by itself: there is nothing to choose.
    """
    claim = session.get(Claim, question.claim_id, with_for_update={"key_share": True})
    if claim is None or claim.state not in {ClaimState.LIVE, ClaimState.EXPIRED}:
        return
    talk = _talk(session, claim, session.get_one(Job, claim.job_id))
    if talk.waits_for != question.ask:
        return
    named = {"turn": question.turn, "ask": question.ask}
    failed = [reply.outcome for reply in replies if reply.outcome is not Outcome.ANSWERED]
    if failed:
        content = {**named, "code": failed[0].value, "told": told(failed[0])}
        _add(session, claim, EntryKind.FAILED, content)
        return
    kept = [_kept(reply) for reply in replies]
    _add(session, claim, EntryKind.REPLIED, {**named, "replies": kept, "order": question.order})
    if len(kept) == 1:
        _add(session, claim, EntryKind.CHOSEN, {"turn": question.turn, "choice": kept[0]["slot"]})


def _kept(reply: Reply) -> dict[str, Any]:
    call = reply.call
    kept = {
        "slot": call.slot,
        "text": reply.text,
        "model": call.model,
        "endpoint": str(call.endpoint_id),
        "version": call.version,
    }
    kept |= {"tokens": reply.tokens} if reply.tokens is not None else {}
    return kept | ({"cut": True} if reply.cut else {})


def choose_reply(
    session: Session,
    actor: Actor,
    claim_id: ClaimId,
    *,
    fence: int,
    turn: int,
    choice: str,
    attempt: int = 1,
    edit: str | None = None,
) -> None:
    """Store which reply goes on (a slot, or `tie`), changed where `edit` says so; or `neither`.

    After `neither` the candidates are to be asked again. attempt: that whose replies were seen,
    from 1; those of a later one are not chosen unseen. The same choice again changes nothing.
    """
    held = _held(session, actor, claim_id, fence)
    talk = held.talk
    if turn == talk.turn - 1 and talk.turns and _is_same(talk.turns[-1], choice, edit):
        return
    if turn != talk.turn or talk.pending is None:
        raise TurnMoved(MOVED)
    if choice == "neither" and attempt == talk.attempt - 1:
        return
    if attempt != talk.attempt:
        raise TurnMoved(MOVED)
    if talk.state(clock.now()) is not TalkState.CHOOSING:
        raise TurnMoved("There is no reply to choose yet. This is how it stands now.")
    _check_choice(talk, choice, edit)
    content: dict[str, Any] = {"turn": turn, "choice": choice}
    if edit is not None and conversation.is_changed(edit, rules.text_of(talk.pending, choice)):
        rules.refuse_unstorable({"editing": edit})
        content["edit"] = edit
    _add(session, held.claim, EntryKind.CHOSEN, content)


def _is_same(turn: dict[str, Any], choice: str, edit: str | None) -> bool:
    """Whether a turn ended with this choice, and with what was typed over it, if anything was."""
    return bool(turn["choice"] == choice) and (
        edit is None or not conversation.is_changed(edit, turn["reply"])
    )


def _check_choice(talk: Talk, choice: str, edit: str | None) -> None:
    pending = talk.pending or {}
    offered = {*pending["order"], "neither"}
    if talk.brief.allow_tie and len(pending["order"]) > 1:
        offered.add("tie")
    if choice not in offered:
        raise Faulty("Choose a reply.", [Fault("/choice", "Choose one of those that are offered.")])
    if choice == "neither" and talk.attempt >= talk.brief.attempts_max:
        raise TalkOver("No more replies can be asked for in this turn. Choose one, or edit it.")
    if edit is None:
        return
    if choice == "neither" or not talk.brief.allow_edit:
        raise Faulty("This reply is not edited.", [Fault("/edit", "Leave the edit out.")])
    if not edit.strip() or len(edit) > pieces.TEXT_MAX:
        raise Faulty("The edit cannot be taken.", [Fault("/edit", "Write what should go on.")])


def _held(session: Session, actor: Actor, claim_id: ClaimId, fence: int) -> _Held:
    """The claim, locked and prolonged; LeaseLost where somebody else has the task by now."""
    claim = own_claim(session, actor, claim_id, fence)
    heartbeat(session, actor, claim_id, fence=fence)
    job = session.get_one(Job, claim.job_id)
    return _Held(claim, job, _talk(session, claim, job))


def _talk(session: Session, claim: Claim, job: Job) -> Talk:
    payload, template = material(session, claim.task_id, claim.template_version_id)
    talk = talk_held(session, claim, job, template, payload)
    if talk is None:
        raise Missing("This task has no conversation.")
    return talk


def _add(session: Session, claim: Claim, kind: EntryKind, content: dict[str, Any]) -> None:
    newest = select(func.max(ConversationEntry.number)).where(
        ConversationEntry.claim_id == claim.id
    )
    number = (session.scalar(newest) or 0) + 1
    session.add(
        ConversationEntry(
            claim_id=claim.id, number=number, kind=kind, content=content, made_at=clock.now()
        )
    )
    session.flush()  # The next row's number counts this one.
