"""A bank from real recorded unit-test outcomes: imported as a file, dealt, and marked by them."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from marketplace.ids import JobId
from marketplace.jobs import queries as jobs
from marketplace.money import Money
from marketplace.routing import service as routing
from tests.make import identity, work
from tests.make import qualification as make


def bank(folder: Path) -> list[bytes]:
    """Pairs of answers to one problem of which exactly one passed its tests, as NDJSON lines."""
    problems = rows_of(folder / "HumanEval.jsonl")
    asked = {row["task_id"]: row["prompt"] for row in problems}
    tried: dict[str, dict[bool, str]] = defaultdict(dict)
    for row in rows_of(folder / "codegen16b_samples_with_test_outcome.jsonl"):
        tried[row["task_id"]].setdefault(row["passed"], row["completion"])
    both = [task for task in sorted(tried) if len(tried[task]) == 2]
    return [line_of(task, number, asked[task], tried[task]) for number, task in enumerate(both)]


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def line_of(task: str, number: int, prompt: str, tried: dict[bool, str]) -> bytes:
    right = "ab"[number % 2]
    wrong = "ba"[number % 2]
    concept = "text" if "str" in prompt.partition(")")[0] else "numbers"
    payload = {
        "messages": [{"role": "user", "content": f"```python\n{prompt}```"}],
        right: f"```python\n{tried[True]}```",
        wrong: f"```python\n{tried[False]}```",
        "metadata": {"concept": concept, "task": task},
    }
    gold = {"judgement": {"choice": right}, "explanation": "The other one fails its tests."}
    return json.dumps({"external_id": task, "payload": payload, "gold": gold}).encode()


@pytest.fixture
def lines(sample_data: Path) -> list[bytes]:
    """The real pairs; skipped where they are not there."""
    folder = sample_data / "humaneval_codet"
    if not folder.is_dir():
        pytest.skip("SAMPLE_DATA holds no recorded outcomes of unit tests.")
    return bank(folder)


def test_real_outcomes_make_parallel_forms_that_mark_themselves(
    session: Session, lines: list[bytes]
) -> None:
    lab = identity.lab_owner(session)
    work.money_in(session, lab, Money(1_000_00, "USD"))
    job = make.drafted(
        session, lab, lines=lines, items_a_form=20, forms=4, candidates_max=2, pass_ratio=0.9
    )
    routing.publish_job(session, lab, JobId(job.id), fee_basis_points=2_000)
    session.flush()
    forms = [jobs.form_items(session, JobId(job.id), number) for number in range(1, 5)]
    assert 1 == len({tuple(sorted(item.concept for item in form)) for form in forms})
    right = {json.dumps(item.payload["a"]): item.gold for form in forms for item in form}

    def sat(knows: bool) -> Any:
        person = identity.specialist(session)
        attempt = make.started(session, person, job)
        for _ in range(20):
            claim = work.claimed(session, person, job)
            payload = make.payload_of(session, person, claim.id)
            gold = right[json.dumps(payload["a"])]["judgement"]["choice"]
            make.handed_in(session, person, claim, gold if knows else "tie")
        return attempt

    assert (True, False) == (sat(True).passed, sat(False).passed)
