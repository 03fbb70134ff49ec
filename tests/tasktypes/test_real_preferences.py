"""Real pairwise data through checks and exports."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from marketplace.tasktypes import TASK_TYPES, Counts, Record, line
from tests.tasktypes.examples import authored

PAIRWISE = TASK_TYPES["pairwise"]
CHOICES = {0: "tie", 1: "a", 2: "b"}


def payload_of(row: Any) -> Any:
    asked = "\n\n".join(part for part in (row["instruction"], row["input"]) if part)
    return {
        "messages": [{"role": "user", "content": asked}],
        # Six published responses are the JSON value true; their text was “True”.
        "a": str(row["response1"]),
        "b": str(row["response2"]),
    }


def test_999_real_pairs_become_training_rows() -> None:
    folder = os.environ.get("SAMPLE_DATA")
    if not folder:
        pytest.skip("SAMPLE_DATA is not set; it names the folder that holds the real input.")
    rows = json.loads((Path(folder) / "pandalm_pairwise" / "testset-v1.json").read_text("utf-8"))
    records, votes = [], Counter[str]()
    for row in rows:
        payload = payload_of(row)
        assert [] == PAIRWISE.check_item({}, payload)
        choices = [CHOICES[row[f"annotator{number}"]] for number in (1, 2, 3)]
        votes.update(choices)
        records.append(
            Record(
                item_id=str(row["idx"]),
                external_id=str(row["idx"]),
                task_type="pairwise",
                payload=payload,
                judgements=tuple(
                    authored({"choice": choice}, number) for number, choice in enumerate(choices)
                ),
            )
        )

    single, voted = Counts(), Counts()
    trl = PAIRWISE.exports["trl_preference"]
    lines = [line(row) for row in trl.rows(records, "majority", voted)]
    each = list(trl.rows(records, "all", single))

    assert (2997, votes["tie"]) == (single.read, single.ties)
    assert votes["a"] + votes["b"] == len(each)
    assert 999 == voted.read == len(lines) + sum(voted.dropped.values())
    assert set(voted.dropped) <= {"tie", "no_majority"}
    assert lines == [line(row) for row in trl.rows(reversed(records), "majority", Counts())][::-1]
