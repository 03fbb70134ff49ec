"""Talking to models in a task: stored before shown, asked once, counted, and in the judgement."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.endpoints import gateway
from marketplace.endpoints.models import ModelUse
from marketplace.endpoints.rules import BudgetSpent
from marketplace.errors import Faulty
from marketplace.review.rules import Verdict
from marketplace.routing import service as routing
from marketplace.tasktypes.order import permuted
from marketplace.work import queries, service
from marketplace.work.models import Claim, ConversationEntry, Submission
from marketplace.work.rules import (
    ASKS_A_TURN_MAX,
    Envelope,
    LeaseLost,
    TalkOver,
    TurnMoved,
    judgement_for_author,
)
from tests.make import endpoints, specialists
from tests.make import work as make
from tests.make.endpoints import Served


@pytest.fixture
def models(session: Session) -> Iterator[Served]:
    """The models, which the product may ask."""
    with endpoints.models() as served:
        yield served


class Talker:
    """A doctor at one claim of a chat."""

    def __init__(self, session: Session, **job: Any) -> None:
        self.session = session
        self.doctor: Actor = specialists.doctor(session)
        self.lab, self.job = endpoints.chat_job(session, **job)
        self.claim: Claim = make.claimed(session, self.doctor, self.job)

    def say(self, text: str, turn: int = 1) -> None:
        claim = self.claim
        service.say(self.session, self.doctor, claim.id, fence=claim.fence, turn=turn, text=text)

    def ask(self, turn: int = 1) -> service.Question | None:
        claim = self.claim
        return service.ask_models(self.session, self.doctor, claim.id, fence=claim.fence, turn=turn)

    def answered(self, turn: int = 1) -> None:
        question = self.ask(turn)
        assert question is not None
        service.record_replies(self.session, question, gateway.ask(question.calls))

    def choose(
        self, choice: str, turn: int = 1, edit: str | None = None, attempt: int | None = None
    ) -> None:
        seen = self.talk["attempt"] if attempt is None else attempt
        how: dict[str, Any] = {"turn": turn, "choice": choice, "attempt": seen, "edit": edit}
        held = self.claim
        service.choose_reply(self.session, self.doctor, held.id, fence=held.fence, **how)

    def turn(self, text: str, number: int, choice: str = "a", edit: str | None = None) -> None:
        self.say(text, number)
        self.answered(number)
        self.choose(choice, number, edit)

    @property
    def talk(self) -> dict[str, Any]:
        """The conversation as the doctor sees it."""
        view = queries.claim_of(self.session, self.doctor, self.claim.id)
        found: dict[str, Any] = view.payload["conversation"]
        return found

    def given(self) -> Submission:
        """The judgement as it is, handed in and on its way to review."""
        claim = self.claim
        return routing.submit_and_claim_next(
            self.session,
            self.doctor,
            claim.id,
            fence=claim.fence,
            envelope=Envelope(judgement={"ratings": {"helpful": {"score": 4}}}),
            wants_next=False,
        ).submission

    def hand_in(self, **more: Any) -> dict[str, Any]:
        judgement = {"ratings": {"helpful": {"score": 4}}, **more}
        given = make.submit(self.session, self.doctor, self.claim, Envelope(judgement=judgement))
        found: dict[str, Any] = given.judgement
        return found


def test_a_conversation_goes_from_words_to_replies_to_a_judgement(
    session: Session, models: Served
) -> None:
    talker = Talker(session)

    assert "open" == talker.talk["state"]
    talker.say("I missed a dose. 💊")
    assert "unanswered" == talker.talk["state"]
    talker.answered()
    assert "choosing" == talker.talk["state"]
    assert sorted(talker.talk["pending"]["order"]) == ["a", "b"]
    talker.choose("b")
    talker.turn("And tomorrow?", 2, "a", edit="Take the usual dose tomorrow.")
    judgement = talker.hand_in(turns=[], messages=[])

    first, second = judgement["turns"]
    replies = {each["slot"]: each for each in first["attempts"][0]["replies"]}
    assert replies["b"]["text"] == first["reply"]
    assert ["echo", "echo-warm"] == [replies["a"]["model"], replies["b"]["model"]]
    assert "Take the usual dose tomorrow." == second["edit"] == second["reply"]
    assert [
        ("user", "I missed a dose. 💊"),
        ("assistant", first["reply"]),
        ("user", "And tomorrow?"),
        ("assistant", "Take the usual dose tomorrow."),
    ] == [(each["role"], each["content"]) for each in judgement["messages"]]
    # What went on is what the models were told the second time, below the opening of the item.
    told = models.asked[-1]["messages"]
    assert ["system", "user", "assistant", "user"] == [each["role"] for each in told]
    assert first["reply"] == told[2]["content"]


def test_nothing_that_a_specialist_sees_names_a_model(session: Session, models: Served) -> None:
    talker = Talker(session)
    talker.turn("Hello", 1)
    talker.say("Again", 2)
    talker.answered(2)

    view = queries.claim_of(session, talker.doctor, talker.claim.id)

    shown = str(view.payload["conversation"])
    assert "warm" not in shown
    assert set() == {name for name in ("'model'", "'endpoint'", "'tokens'") if name in shown}


def test_an_author_reads_all_ratings_again_whatever_they_are_called() -> None:
    reply = {"slot": "a", "text": "Hello", "model": "echo", "version": 1}
    ratings = {"version": {"score": 4}, "model": {"score": 2}}
    turn = {"said": "Hi", "attempts": [{"replies": [reply]}], "choice": "a", "reply": "Hello"}

    shown = judgement_for_author({"turns": [turn], "ratings": ratings})

    assert ratings == shown["ratings"]
    assert {"slot": "a", "text": "Hello"} == shown["turns"][0]["attempts"][0]["replies"][0]


def test_words_said_twice_are_said_and_asked_once(session: Session, models: Served) -> None:
    talker = Talker(session)

    talker.say("Hello")
    talker.say("Hello")
    question = talker.ask()
    again = talker.ask()

    assert question is not None
    assert again is None
    assert "waiting" == talker.talk["state"]
    with pytest.raises(TurnMoved):
        talker.say("Something else, from another window")


def test_words_whose_answer_was_lost_on_its_way_back_may_be_sent_again(
    session: Session, models: Served
) -> None:
    talker = Talker(session)
    talker.turn("Hello", 1)

    talker.say("Hello", 1)

    assert talker.ask(1) is None
    assert ("open", 2) == (talker.talk["state"], talker.talk["turn"])
    with pytest.raises(TurnMoved):
        talker.say("Something else", 1)


def test_a_choice_made_twice_is_made_once(session: Session, models: Served) -> None:
    talker = Talker(session)
    talker.turn("Hello", 1, "b")

    talker.choose("b", 1)

    assert 1 == len(talker.talk["turns"])
    with pytest.raises(TurnMoved):
        talker.choose("a", 1)
    # What another window wrote over the same reply is not passed over in silence.
    with pytest.raises(TurnMoved):
        talker.choose("b", 1, edit="Ring us first.")


def test_a_reply_that_a_form_sends_back_is_no_edit(session: Session, models: Served) -> None:
    talker = Talker(session)
    talker.say("one\r\ntwo")
    talker.answered()
    reply = next(e["text"] for e in talker.talk["pending"]["replies"] if e["slot"] == "a")
    assert "\n" in reply

    talker.choose("a", 1, edit=reply.replace("\r\n", "\n").replace("\n", "\r\n"))

    assert "edit" not in talker.talk["turns"][0]


def test_a_reply_that_was_lost_on_its_way_is_asked_for_again(
    session: Session, models: Served
) -> None:
    talker = Talker(session)
    talker.say("Hello")
    lost = talker.ask()
    assert lost is not None

    with clock.shifted(timedelta(seconds=60)):
        assert "unanswered" == talker.talk["state"]
        assert "ask again" in talker.talk["told"]
        talker.answered()
        # The first process comes back from the dead: nobody waits for its reply any more.
        service.record_replies(session, lost, gateway.ask(lost.calls))

        kinds = [each.kind.value for each in session.scalars(_journal(talker.claim))]
    assert ["said", "asked", "asked", "replied"] == kinds


def _journal(claim: Claim) -> Any:
    rows = select(ConversationEntry).where(ConversationEntry.claim_id == claim.id)
    return rows.order_by(ConversationEntry.number)


def test_a_model_that_fails_leaves_the_words_and_says_what_to_do(
    session: Session, models: Served
) -> None:
    candidates = [{"endpoint": "echo"}, {"endpoint": "echo-busy"}]
    talker = Talker(session, template={"candidates": candidates})
    talker.say("Hello")

    talker.answered()

    assert "unanswered" == talker.talk["state"]
    assert talker.talk["told"].startswith("The model is asked too often")
    assert "Hello" == talker.talk["pending"]["said"]
    for _ in range(ASKS_A_TURN_MAX - 1):
        talker.answered()
    with pytest.raises(TalkOver, match="often enough"):
        talker.ask()


def test_neither_asks_anew_until_the_attempts_are_used_up(session: Session, models: Served) -> None:
    talker = Talker(session)
    talker.say("Hello")
    for _ in range(4):
        talker.answered()
        talker.choose("neither")
    talker.answered()

    with pytest.raises(TalkOver):
        talker.choose("neither")
    talker.choose("tie")

    (turn,) = talker.talk["turns"]
    assert ["neither"] * 4 + ["tie"] == [each["choice"] for each in turn["attempts"]]
    shown_first = turn["attempts"][-1]["order"][0]
    replies = {each["slot"]: each["text"] for each in turn["attempts"][-1]["replies"]}
    assert replies[shown_first] == turn["reply"]


def test_a_window_that_is_behind_chooses_no_reply_that_it_has_not_shown(
    session: Session, models: Served
) -> None:
    talker = Talker(session)
    talker.say("Hello")
    talker.answered()
    talker.choose("neither", attempt=1)
    talker.answered()
    talker.choose("neither", attempt=1)  # Pressed twice.

    with pytest.raises(TurnMoved):
        talker.choose("a", attempt=1)

    assert 2 == talker.talk["attempt"]
    assert [] == talker.talk["turns"]
    talker.choose("a", attempt=2)


def test_no_more_calls_are_made_than_the_budget_allows(session: Session, models: Served) -> None:
    talker = Talker(session, calls_a_job_max=1)
    talker.turn("Hello", 1)
    talker.say("And then?", 2)

    with pytest.raises(BudgetSpent):
        talker.ask(2)

    assert [1, 1] == list(session.scalars(select(ModelUse.calls)))
    assert 2 == len(models.asked)
    # What was held is enough to hand in, and the words without a reply are not part of it.
    judgement = talker.hand_in()
    assert 1 == len(judgement["turns"])


def test_the_lower_of_two_limits_ends_a_conversation(session: Session, models: Served) -> None:
    talker = Talker(session, turns_max=1)
    talker.turn("Hello", 1)

    assert "ended" == talker.talk["state"]
    with pytest.raises(TalkOver):
        talker.say("More", 2)


def test_a_conversation_is_handed_in_only_when_no_choice_is_open(
    session: Session, models: Served
) -> None:
    talker = Talker(session)
    with pytest.raises(Faulty) as none:
        talker.hand_in()
    talker.say("Hello")
    talker.answered()
    with pytest.raises(Faulty) as choosing:
        talker.hand_in()

    assert ["Hold at least one turn of the conversation; there are 0."] == [
        fault.message for fault in none.value.faults if fault.pointer == "/judgement/saying"
    ]
    assert ["Say which reply goes on, or that none does."] == [
        fault.message for fault in choosing.value.faults if fault.pointer == "/judgement/saying"
    ]


def test_nobody_speaks_at_a_claim_that_another_took(session: Session, models: Served) -> None:
    talker = Talker(session)
    make.lapsed(session, talker.claim)
    make.claimed(session, specialists.doctor(session), talker.job)

    with pytest.raises(LeaseLost):
        talker.say("Hello")


def test_the_order_of_replies_follows_the_seat_and_the_turn(
    session: Session, models: Served
) -> None:
    talker = Talker(session)
    for number in range(1, 5):
        talker.turn(f"Turn {number}", number)

    orders = [turn["attempts"][0]["order"] for turn in talker.talk["turns"]]
    seat = talker.claim.seat_id
    assert [permuted(["a", "b"], f"{seat}:{turn}:0") for turn in range(1, 5)] == orders
    stored = [
        each.content["order"]
        for each in session.scalars(_journal(talker.claim))
        if each.kind.value == "replied"
    ]
    assert orders == stored


def test_the_journal_cannot_be_rewritten(session: Session, models: Served) -> None:
    talker = Talker(session)
    talker.say("Hello")
    (entry,) = session.scalars(_journal(talker.claim))

    entry.content = {"turn": 1, "text": "Something else"}
    with pytest.raises(ProgrammingError, match="permission denied"):
        session.flush()
    session.rollback()


def test_rework_goes_on_where_the_answer_ended(session: Session, models: Served) -> None:
    talker = Talker(session)
    talker.turn("Hello", 1)
    given = talker.given()
    make.decided(session, talker.lab, given, Verdict.REWORK)
    came_back = select(Claim).where(Claim.reworks_submission_id == given.id)
    talker.claim = session.scalars(came_back).one()

    talker.turn("And tomorrow?", 2)
    judgement = talker.hand_in()

    assert ["Hello", "And tomorrow?"] == [turn["said"] for turn in judgement["turns"]]


def test_a_process_waits_for_a_few_turns_only(session: Session, models: Served) -> None:
    with endpoints.models(model_turns_at_once=1), gateway.place() as first:
        with gateway.place() as second:
            assert (True, False) == (first, second)
        with gateway.place() as third:
            assert not third
    with gateway.place() as later:
        assert later
