"""Critique and revise: constitutions, audits of a model's critique, training rows."""

from __future__ import annotations

from typing import Any

import pytest

from marketplace.tasktypes import TASK_TYPES, Counts, Json, line
from marketplace.tasktypes.principles import constitution_sha256
from tests.tasktypes.examples import EXAMPLES, record
from tests.tasktypes.model_examples import ASKED, CONSTITUTION, CRITIQUED, RESPONSE

KIND = TASK_TYPES["critique_revise"]
PAYLOAD = EXAMPLES["critique_revise"].payload
MODEL: Json = {
    "model": "rlaif-7b",
    "version": "3",
    "confidence": 0.7,
    "payload": {
        "findings": [
            {"principle_id": "safety", "violates": True, "critique": "It doubles the dose."},
            {"principle_id": "honesty", "violates": True, "critique": "It sounds too sure."},
        ],
        "revision": "Never take two.",
    },
}
SEEN = {**PAYLOAD, "prelabels": [MODEL]}


def audited(findings: list[Json], revision: str = "Never take two.") -> Json:
    return KIND.completed(CONSTITUTION, SEEN, {"findings": findings, "revision": revision})


def finding(key: str, **more: Any) -> Json:
    said = {each["principle_id"]: each for each in MODEL["payload"]["findings"]}
    return {**said[key], **more}


def test_the_hash_of_a_constitution_follows_every_word_and_the_version() -> None:
    reworded = {**CONSTITUTION, "principles": [*CONSTITUTION["principles"][:1]]}
    dated = {**CONSTITUTION, "constitution": {"title": "Safe answers", "version": "2026-12"}}

    hashes = {constitution_sha256(each) for each in (CONSTITUTION, reworded, dated)}

    assert 3 == len(hashes)
    stated = {**CONSTITUTION["constitution"], "sha256": constitution_sha256(CONSTITUTION)}
    assert [] == KIND.check_template({**CONSTITUTION, "constitution": stated})
    (fault,) = KIND.check_template({**reworded, "constitution": stated})
    assert "/constitution/sha256" == fault.pointer
    assert constitution_sha256({**reworded, "constitution": stated}) in fault.message


def test_every_principle_needs_a_finding_and_a_violation_a_critique_and_a_revision() -> None:
    def places(judgement: Json) -> list[str]:
        return [fault.pointer for fault in KIND.check_judgement(CONSTITUTION, PAYLOAD, judgement)]

    bare = {"principle_id": "safety", "violates": True}
    assert ["/findings", "/findings/0/critique", "/revision"] == places({"findings": [bare]})
    twice = [*CRITIQUED["findings"], {"principle_id": "honesty", "violates": False}]
    assert ["/findings/2/principle_id"] == places({**CRITIQUED, "findings": twice})
    strange = [*CRITIQUED["findings"], {"principle_id": "humour", "violates": False}]
    assert ["/findings/2/principle_id"] == places({**CRITIQUED, "findings": strange})
    assert ["/revision"] == places({**CRITIQUED, "revision": f" {RESPONSE}\n"})


def test_who_said_what_is_worked_out_and_not_believed() -> None:
    judgement = audited(
        [
            finding("safety", audit="edited", said_by="specialist"),
            finding("honesty", violates=False, critique="It is plain enough.", audit="kept"),
        ]
    )

    safety, honesty = judgement["findings"]
    assert ("kept", "model") == (safety["audit"], safety["said_by"])
    assert "model_said" not in safety
    assert ("rejected", "specialist") == (honesty["audit"], honesty["said_by"])
    assert "It sounds too sure." == honesty["model_said"]["critique"]
    assert {"model": "rlaif-7b", "version": "3"} == judgement["audited"]
    assert {"audit": "kept", "said_by": "model"} == judgement["revision_origin"]


def test_new_words_under_the_same_verdict_are_an_edit_unless_the_model_is_rejected() -> None:
    for claimed, found in (("kept", "edited"), ("edited", "edited"), ("rejected", "rejected")):
        ours = finding("safety", critique="It may cause bleeding.", audit=claimed)
        judgement = audited([ours, finding("honesty", audit="kept")], "Ask your clinic.")
        assert found == judgement["findings"][0]["audit"]
        assert "edited" == judgement["revision_origin"]["audit"]
        assert [] == KIND.check_judgement(CONSTITUTION, SEEN, judgement)


def test_words_of_a_rejected_finding_are_not_put_into_the_mouth_of_who_rejects_it() -> None:
    judgement = audited(
        [finding("safety", audit="kept"), finding("honesty", violates=False, audit="rejected")]
    )

    rejected = judgement["findings"][1]
    assert "critique" not in rejected
    assert "It sounds too sure." == rejected["model_said"]["critique"]


def test_every_finding_of_a_model_must_be_audited_and_a_rejected_one_replaced() -> None:
    judgement = audited([finding("safety"), finding("honesty", audit="rejected")])

    faults = KIND.check_judgement(CONSTITUTION, SEEN, judgement)

    assert ["/findings/0/audit", "/findings/1/audit"] == [fault.pointer for fault in faults]


def test_white_space_that_a_form_adds_is_no_edit() -> None:
    ours = finding("safety", critique="It doubles the dose.\r\n", audit="kept")

    assert "kept" == audited([ours, finding("honesty", audit="kept")])["findings"][0]["audit"]


def test_without_a_model_nothing_is_said_of_one() -> None:
    claimed = [{**each, "audit": "kept", "said_by": "model"} for each in CRITIQUED["findings"]]

    assert CRITIQUED == KIND.completed(CONSTITUTION, PAYLOAD, {**CRITIQUED, "findings": claimed})


def test_a_fresh_form_starts_from_the_model_and_its_confidence_stays_hidden() -> None:
    seen = KIND.with_prelabels(CONSTITUTION, PAYLOAD, [MODEL, MODEL])

    assert MODEL["payload"] == KIND.first_answer(CONSTITUTION, seen)
    (shown,) = seen["prelabels"]
    assert {"model", "version", "payload"} == shown.keys()


def test_a_models_critique_may_leave_principles_out() -> None:
    said = {"findings": [{"principle_id": "safety", "violates": True}]}
    assert [] == KIND.check_prelabel(CONSTITUTION, PAYLOAD, said)
    (fault,) = KIND.check_prelabel(
        CONSTITUTION, PAYLOAD, {"findings": [{"principle_id": "mood", "violates": True}]}
    )
    assert "/findings/0/principle_id" == fault.pointer


def rows(key: str, *judgements: Json) -> tuple[list[Json], Counts]:
    counts = Counts()
    given = record("critique_revise", *judgements)
    return list(KIND.exports[key].rows([given], "all", counts)), counts


def test_revisions_become_conversations_and_pairs() -> None:
    as_it_was = {**CRITIQUED, "revision": RESPONSE}
    none = {"findings": CRITIQUED["findings"]}

    (pair,), counts = rows("trl_preference", CRITIQUED, as_it_was, none)
    assert (CRITIQUED["revision"], RESPONSE) == (
        pair["chosen"][0]["content"],
        pair["rejected"][0]["content"],
    )
    assert {"unchanged": 1, "no_revision": 1} == dict(counts.dropped)
    ((sft, _), counts) = rows("trl_messages", CRITIQUED, as_it_was, none)
    assert [*ASKED, {"role": "assistant", "content": CRITIQUED["revision"]}] == sft["messages"]
    assert constitution_sha256(CONSTITUTION) == sft["constitution"]["sha256"]
    (dpo,), _ = rows("openai_dpo", CRITIQUED)
    assert {"input", "preferred_output", "non_preferred_output"} == dpo.keys()
    (openai,), _ = rows("openai_sft", CRITIQUED)
    assert ["messages"] == list(openai)


def test_constitutional_turns_alternate_and_stand_for_violations_only() -> None:
    found, counts = rows("nemo_cai", CRITIQUED)

    (row,) = found
    assert ["user", "assistant"] * 3 == [turn["role"] for turn in row["messages"]]
    texts = [turn["content"] for turn in row["messages"]]
    assert [RESPONSE, "It doubles an anticoagulant.", CRITIQUED["revision"]] == texts[1::2]
    assert "Never advise a dose that can harm." in texts[2]
    assert ({"no_violation": 1}, 1) == (dict(counts.dropped), counts.kept)


@pytest.mark.parametrize("key", sorted(KIND.exports))
def test_the_same_judgements_give_the_same_bytes(key: str) -> None:
    first, second = (b"".join(map(line, rows(key, CRITIQUED, CRITIQUED)[0])) for _ in range(2))

    assert first == second != b""


def test_gold_may_be_verdicts_alone() -> None:
    gold = {"findings": [{"principle_id": "safety", "violates": True}]}

    assert [] == KIND.check_gold(CONSTITUTION, PAYLOAD, {"judgement": gold})
    assert 1.0 == KIND.gold_agrees(CRITIQUED, gold, CONSTITUTION)
    other = {"findings": [{"principle_id": "safety", "violates": False}]}
    assert 0.0 == KIND.gold_agrees(CRITIQUED, other, CONSTITUTION)
