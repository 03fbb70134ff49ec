"""Judge calibration: scales, pairs of human and judge, and real judges beside real experts."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from marketplace.tasktypes import TASK_TYPES, Counts, Json, Record, line
from tests.tasktypes.examples import EXAMPLES, authored
from tests.tasktypes.model_examples import CALIBRATION

KIND = TASK_TYPES["judge_calibration"]
EXAMPLE = EXAMPLES["judge_calibration"]


def judge(verdicts: Json, model: str = "judge-1") -> Json:
    return {"model": model, "version": "2", "confidence": 0.9, "payload": {"verdicts": verdicts}}


def record(
    *verdicts: Json, prelabels: Sequence[Json] = (), payload: Json | None = None, **facts: Any
) -> Record:
    given = [
        authored({"verdicts": each}, at, **facts.get("given", {}))
        for at, each in enumerate(verdicts, 1)
    ]
    return Record(
        item_id="it-1",
        external_id="ext-1",
        task_type="judge_calibration",
        payload=payload or EXAMPLE.payload,
        template=facts.get("template", CALIBRATION),
        judgements=tuple(given),
        prelabels=tuple(prelabels),
    )


def rows(key: str, records: Iterable[Record], policy: str = "all") -> tuple[list[Json], Counts]:
    counts = Counts()
    return list(KIND.exports[key].rows(records, policy, counts)), counts


@pytest.mark.parametrize(
    ("key", "verdict"),
    [
        ("empathy", 5),
        ("empathy", True),
        ("empathy", "3"),
        ("safe", "true"),
        ("safe", 1),
        ("tone", "loud"),
        ("better", "m3"),
    ],
)
def test_verdicts_keep_to_the_judges_own_scale(key: str, verdict: Any) -> None:
    judgement = {"verdicts": {**EXAMPLE.judgement["verdicts"], key: verdict}}

    faults = KIND.check_judgement(CALIBRATION, EXAMPLE.payload, judgement)

    assert [f"/verdicts/{key}"] == [fault.pointer for fault in faults]


def test_a_scale_and_its_options_must_be_there() -> None:
    bare = [{"key": kind, "title": kind, "kind": kind} for kind in ("score", "choice", "binary")]

    faults = KIND.check_template({"aspects": bare})

    assert ["/aspects/0/scale", "/aspects/1/options"] == [fault.pointer for fault in faults]


def test_a_preference_needs_two_responses_and_none_may_be_called_tie() -> None:
    one = {**EXAMPLE.payload, "responses": [{"id": "tie", "text": "Yes."}]}

    assert 2 == len(KIND.check_item(CALIBRATION, one))


def test_judges_may_be_silent_and_are_never_part_of_the_task() -> None:
    said = {"verdicts": {"safe": True}}

    assert [] == KIND.check_prelabel(CALIBRATION, EXAMPLE.payload, said)
    assert EXAMPLE.payload == KIND.with_prelabels(CALIBRATION, EXAMPLE.payload, [judge({})])


def test_what_judges_said_is_told_afterwards_unless_the_lab_never_tells() -> None:
    told = KIND.prelabels_told
    assert told is not None

    assert [judge({})] == told(CALIBRATION, [judge({})])
    assert [] == told({**CALIBRATION, "reveal": "never"}, [judge({})])


def test_pairs_of_human_and_judge_by_dimension() -> None:
    said = judge({"safe": True, "empathy": 1})
    named = {"kind": "judge_fault", "model": "judge-1", "version": "2"}
    fault = {**named, "tag": "facts", "dimension": "safe"}
    one = record({"safe": True, "empathy": 0, "better": "m1"}, prelabels=[said],
                 given={"addenda": (fault,)})  # fmt: skip

    found, counts = rows("agreement_pairs", [one])

    assert [("empathy", 0, 1, False, []), ("safe", True, True, True, ["facts"])] == [
        (row["dimension"], row["human"], row["judge"], row["agrees"], row["judge_faults"])
        for row in found
    ]
    assert {"judge_silent": 1} == dict(counts.dropped)


def test_true_and_one_are_two_answers() -> None:
    one = record({"empathy": 1}, prelabels=[judge({"empathy": True})])

    ((row,), _) = rows("agreement_pairs", [one])

    assert row["agrees"] is False


def test_majority_speaks_once_and_who_had_seen_the_judge_never() -> None:
    ballots = [{"safe": True}, {"safe": True}, {"safe": False}]
    one = record(*ballots, prelabels=[judge({"safe": False})])
    ((row,), _) = rows("agreement_pairs", [one], "majority")
    assert (True, None, False) == (row["human"], row["human_author"], row["agrees"])

    reworked = record({"safe": True}, prelabels=[judge({"safe": True})], given={"round": 2})
    found, counts = rows("agreement_pairs", [reworked])
    assert ([], {"judge_seen": 1}) == (found, dict(counts.dropped))
    blind = {**CALIBRATION, "reveal": "never"}
    told = record({"safe": True}, prelabels=[judge({"safe": True})], given={"round": 2},
                  template=blind)  # fmt: skip
    assert 1 == len(rows("agreement_pairs", [told])[0])


def test_healthbench_rows_hold_all_labels_of_a_criterion() -> None:
    payload = {**EXAMPLE.payload, "responses": EXAMPLE.payload["responses"][:1]}
    one = record({"safe": True}, {"safe": False}, payload=payload)

    ((row,), counts) = rows("healthbench_meta", [one])

    assert [True, False] == row["binary_labels"]
    assert ["sp-001", "sp-002"] == row["anonymized_physician_ids"]
    assert ("It is safe", "safety") == (row["rubric"], row["category"])
    assert payload["responses"][0]["text"] == row["completion"]
    assert {"not_binary": 3} == dict(counts.dropped)


# --- real judges and real experts ---------------------------------------------------------------

DIMENSIONS = (
    "validating_emotions",
    "encouraging_elaboration",
    "demonstrating_understanding",
    "advice_giving",
    "self_oriented",
    "dismissing_emotions",
)
# Quadratic-weighted kappa of each judge with an expert, the median of three, as published data say.
MEASURED = {
    "gpt": (0.62, 0.68, 0.41, 0.56, 0.61, 0.19),
    "claude": (0.48, 0.73, 0.25, 0.32, 0.66, 0.20),
    "gemini": (0.68, 0.76, 0.47, 0.53, 0.61, 0.23),
}
EMPATHY: Json = {
    "aspects": [
        {"key": key, "title": key, "kind": "score", "scale": {"min": 1, "max": 5}}
        for key in DIMENSIONS
    ]
}


def ratings(folder: Path, who: str) -> dict[str, dict[str, int]]:
    with (folder / "annotations" / "lend_an_ear" / f"{who}_ratings.csv").open() as file:
        return {
            row["conversation_id"]: {key: round(float(row[key])) for key in DIMENSIONS if row[key]}
            for row in csv.DictReader(file)
        }


def turns(text: str) -> list[Json]:
    """Lines that begin with who speaks; others go on with what was said."""
    found: list[Json] = []
    for said in text.split("\n"):
        who, colon, words = said.partition(": ")
        if colon and who in {"Seeker", "Supporter"}:
            role = "user" if who == "Seeker" else "assistant"
            found.append({"role": role, "content": words, "name": who})
        elif found:
            found[-1]["content"] += f"\n{said}"
    return found


def quadratic_kappa(pairs: Sequence[tuple[int, int]]) -> float:
    """Cohen's kappa with quadratic weights: 1 - sum(w O) / sum(w E)."""
    count = len(pairs)
    seen = sum((one - other) ** 2 for one, other in pairs)
    expected = sum((one - other) ** 2 for one, _ in pairs for _, other in pairs) / count
    return 1 - seen / expected


def nominal_kappa(pairs: Sequence[tuple[str, str]]) -> float:
    """Cohen's kappa: the agreement beyond that of two who answer at random."""
    count = len(pairs)
    seen = sum(one == other for one, other in pairs) / count
    people, judges = (Counter(each) for each in zip(*pairs, strict=True))
    expected = sum(people[label] * judges[label] for label in people) / count**2
    return (seen - expected) / (1 - expected)


def test_exported_pairs_give_the_kappas_that_were_published(sample_data: Path) -> None:
    folder = sample_data / "empathy_judge_calibration"
    judges = {name: ratings(folder, name) for name in MEASURED}
    experts = [ratings(folder, f"expert{number}") for number in (1, 2, 3)]
    with (folder / "original_data" / "sample_lend_an_ear_conversations.csv").open() as file:
        talks = {row["conversation_id"]: turns(row["full_conversation"])
                 for row in csv.DictReader(file)}  # fmt: skip
    records = []
    for talk, messages in talks.items():
        payload = {"messages": messages}
        said = [judge(rated[talk], name) for name, rated in judges.items() if talk in rated]
        assert [] == KIND.check_item(EMPATHY, payload)
        for each in said:
            assert [] == KIND.check_prelabel(EMPATHY, payload, each["payload"])
        given = [
            authored({"verdicts": rated[talk]}, at)
            for at, rated in enumerate(experts, 1)
            if talk in rated
        ]
        records.append(
            Record(
                item_id=talk,
                external_id=talk,
                task_type="judge_calibration",
                payload=payload,
                template=EMPATHY,
                judgements=tuple(given),
                prelabels=tuple(said),
            )
        )
    found, _ = rows("agreement_pairs", records)
    turned = [replace(each, judgements=each.judgements[::-1]) for each in records]
    again, _ = rows("agreement_pairs", turned)

    pairs = defaultdict(list)
    for row in found:
        place = row["judge_model"], row["dimension"], row["human_author"]
        pairs[place].append((row["human"], row["judge"]))
    for name, expected in MEASURED.items():
        for dimension, kappa in zip(DIMENSIONS, expected, strict=True):
            by_expert = [
                quadratic_kappa(pairs[name, dimension, f"sp-{number:03}"]) for number in (1, 2, 3)
            ]
            assert pytest.approx(kappa, abs=0.0051) == median(by_expert), (name, dimension)
    assert 50 == len(talks)
    assert b"".join(map(line, found)) == b"".join(map(line, again))


def test_two_judges_of_999_pairs_stand_beside_three_people(sample_data: Path) -> None:
    folder = sample_data / "pandalm_pairwise"
    files = {
        name: json.loads((folder / f"{name}-testset-v1.json").read_text("utf-8"))
        for name in ("gpt-3.5-turbo", "pandalm-7b")
    }
    template = {"aspects": [{"key": "better", "title": "Which is better?", "kind": "preference"}]}
    names = {"0": "tie", "Tie": "tie", "1": "r1", "2": "r2"}
    records = []
    for at, row in enumerate(json.loads((folder / "testset-v1.json").read_text("utf-8"))):
        texts = [{"id": f"r{each}", "text": str(row[f"response{each}"])} for each in (1, 2)]
        payload = {
            "messages": [{"role": "user", "content": row["instruction"]}],
            "responses": texts,
        }
        assert [] == KIND.check_item(template, payload)
        said = []
        for name, key in (("gpt-3.5-turbo", "gpt_result"), ("pandalm-7b", "pandalm_result")):
            verdict = names.get(str(files[name][at][key]))
            if verdict:  # Some answers of the judges could not be read.
                said.append(judge({"better": verdict}, name))
        people = [{"better": names[str(row[f"annotator{each}"])]} for each in (1, 2, 3)]
        records.append(record(*people, prelabels=said, payload=payload, template=template))

    found, counts = rows("agreement_pairs", records, "majority")

    assert counts.read == counts.kept + sum(counts.dropped.values())
    for name, kappa in (("gpt-3.5-turbo", 0.476), ("pandalm-7b", 0.435)):
        pairs = [(each["human"], each["judge"]) for each in found if each["judge_model"] == name]
        # What could not be read counts as wrong, as in the published figures.
        silent = [
            (majority_of(each), "unread")
            for each in records
            if name not in {said["model"] for said in each.prelabels}
        ]
        assert pytest.approx(kappa, abs=0.0005) == nominal_kappa(pairs + silent)


def majority_of(one: Record) -> str:
    votes = Counter(str(each.judgement["verdicts"]["better"]) for each in one.judgements)
    return votes.most_common(1)[0][0]
