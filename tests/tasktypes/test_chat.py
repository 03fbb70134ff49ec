"""Chat: what a judgement takes from the conversation, and what its exports make of turns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from marketplace.tasktypes import TASK_TYPES, Counts, Json, line
from tests.tasktypes.examples import EXAMPLES, record

KIND = TASK_TYPES["chat"]
EXAMPLE = EXAMPLES["chat"]


def attempt(choice: str, *texts: str, order: str = "ab") -> Json:
    replies = [
        {"slot": slot, "text": text, "model": f"m-{slot}"}
        for slot, text in zip("abcd", texts, strict=False)
    ]
    return {"replies": replies, "order": list(order), "choice": choice}


def turn(said: str, reply: str, *attempts: Json, **more: Any) -> Json:
    choice = attempts[-1]["choice"]
    return {"said": said, "attempts": list(attempts), "choice": choice, "reply": reply, **more}


def held(*turns: Json) -> Json:
    messages = [
        message
        for each in turns
        for message in (
            {"role": "user", "content": each["said"]},
            {"role": "assistant", "content": each["reply"]},
        )
    ]
    return {"turns": list(turns), "messages": messages, "ratings": {"helpful": {"score": 4}}}


PLAIN = turn("One? 👩‍⚕️", "Yes.", attempt("a", "Yes.", "No."))
TIED = turn("Two?", "Left", attempt("tie", "Left", "Right"))
EDITED = turn(
    "Three?",
    "Written anew",
    attempt("neither", "Bad", "Worse"),
    attempt("b", "Poor", "Fair", order="ba"),
    edit="Written anew",
)


def rows(form: str, *judgements: Json, **facts: Any) -> tuple[list[Json], Counts]:
    counts = Counts()
    found = KIND.exports[form].rows([record("chat", *judgements, **facts)], "all", counts)
    return list(found), counts


def test_a_job_never_wants_more_turns_than_can_be_held() -> None:
    wanted = {**EXAMPLE.template, "turns_min": 11}
    wanted.pop("turns_max", None)

    assert ["/turns_max"] == [fault.pointer for fault in KIND.check_template(wanted)]


def test_what_an_endpoint_cuts_short_can_be_handed_in() -> None:
    template = {**EXAMPLE.template, "turns_min": 2, "turns_max": 5}
    left = {"state": "ended", "turns": [PLAIN], "turns_left": 0}
    payload = {**EXAMPLE.payload, "conversation": left}

    told = KIND.check_judgement(template, payload, held(PLAIN))
    more = {**payload, "conversation": {**left, "state": "open", "turns_left": 1}}

    assert "/saying" not in [fault.pointer for fault in told]
    assert "/saying" in [f.pointer for f in KIND.check_judgement(template, more, held(PLAIN))]


def test_a_turn_is_a_preference_with_its_history() -> None:
    found, counts = rows("trl_preference", held(PLAIN, TIED, EDITED))

    first, *edited = found
    system = EXAMPLE.payload["messages"][0]
    assert [system, {"role": "user", "content": "One? 👩‍⚕️"}] == first["prompt"]
    assert ("Yes.", "No.") == (first["chosen"][0]["content"], first["rejected"][0]["content"])
    assert ["Poor", "Fair", "Bad", "Worse"] == [each["rejected"][0]["content"] for each in edited]
    assert {"Written anew"} == {each["chosen"][0]["content"] for each in edited}
    said = [each["content"] for each in edited[0]["prompt"]]
    assert ["One? 👩‍⚕️", "Yes.", "Two?", "Left", "Three?"] == said[1:]
    assert (3, 2, {"tie": 1}) == (counts.read, counts.kept, dict(counts.dropped))


def nodes(tree: Json) -> Sequence[Json]:
    return [tree, *(node for reply in tree["replies"] for node in nodes(reply))]


def test_a_conversation_is_a_tree_whose_replies_are_ranked() -> None:
    (row,), _ = rows("oasst", held(PLAIN, TIED, EDITED))

    every = nodes(row["prompt"])
    ranks = {node["text"]: node["rank"] for node in every if node["role"] == "assistant"}
    assert {"Yes.": 0, "No.": 1, "Left": 0, "Right": 0} == {
        text: ranks[text] for text in ("Yes.", "No.", "Left", "Right")
    }
    assert [0, 1, 2, 3, 3] == [
        ranks[text] for text in ("Written anew", "Fair", "Poor", "Bad", "Worse")
    ]
    models = {node["text"]: node["model_name"] for node in every}
    assert ("m-a", None) == (models["Yes."], models["Written anew"])
    parents = {node["message_id"]: node["text"] for node in every}
    above = {node["text"]: parents.get(node["parent_id"]) for node in every}
    assert ("Yes.", "Left", None) == (above["Two?"], above["Three?"], above["One? 👩‍⚕️"])
    assert len(every) == len(parents)
    assert "You are a nurse on the telephone." == row["system"]


def test_an_assistant_that_began_has_no_tree() -> None:
    payload = {
        "scenario": "Call back.",
        "messages": [{"role": "assistant", "content": "Good evening."}],
    }

    found, counts = rows("oasst", held(PLAIN), payload=payload)

    assert ([], {"assistant_began": 1}) == (found, dict(counts.dropped))


def test_messages_and_label_studio_tell_what_went_on() -> None:
    (tree,), _ = rows("oasst", held(PLAIN, EDITED))
    assert "en" == tree["prompt"]["lang"]
    (sft,), _ = rows("trl_messages", held(PLAIN, EDITED))
    (task,), _ = rows("label_studio", held(PLAIN, EDITED))

    told = [(each["role"], each["content"]) for each in sft["messages"][1:]]
    (annotation,) = task["annotations"]
    chat = [
        (each["value"]["chatmessage"]["role"], each["value"]["chatmessage"]["content"])
        for each in annotation["result"]
        if each["type"] == "chatmessage"
    ]
    assert told == chat
    assert [("user", "One? 👩‍⚕️"), ("assistant", "Yes.")] == told[:2]
    assert {"number": 4} in [each["value"] for each in annotation["result"]]


def test_every_export_gives_the_same_bytes_again_and_counts_what_it_leaves_out() -> None:
    for form in KIND.exports:
        first, counts = rows(form, held(PLAIN, TIED, EDITED), held())
        again, _ = rows(form, held(PLAIN, TIED, EDITED), held())

        assert [line(row) for row in first] == [line(row) for row in again]
        assert counts.read == counts.kept + sum(counts.dropped.values())


def test_what_a_form_says_of_turns_is_written_over_by_what_was_held() -> None:
    stored = held(PLAIN)
    conversation = {"state": "open", "turns": stored["turns"], "messages": stored["messages"]}
    seen = EXAMPLE.payload | {"conversation": conversation}
    forged = held(EDITED) | {"saying": "not said yet", "editing": {"a": "x"}}

    assert stored == KIND.completed(EXAMPLE.template, seen, forged)


def test_roles_that_models_are_not_sent_are_refused() -> None:
    payload = {"scenario": "x", "messages": [{"role": "tool", "content": "{}"}]}

    faults = KIND.check_item(EXAMPLE.template, payload)

    assert ["/messages/0/role"] == [fault.pointer for fault in faults]
