"""Code review: where comments may stand, gold, and the rows that reviews become."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from marketplace.tasktypes import TASK_TYPES, AuthoredJudgement, Counts, Record
from marketplace.tasktypes.shapes import Json
from tests.tasktypes.examples import DIFF, EXAMPLES
from tests.tasktypes.test_diffs import ODD

CODE = TASK_TYPES["code"]
NIT = EXAMPLES["code"].judgement["comments"][0]


def pointers(payload: Json, judgement: Json, template: Json | None = None) -> list[str]:
    faults = CODE.check_judgement(template or {}, payload, judgement)
    return [fault.pointer for fault in faults]


def exported(key: str, payload: Json, *judgements: Json, policy: str = "all") -> tuple[Any, Counts]:
    given = tuple(
        AuthoredJudgement(annotation_id=f"a{at}", judgement=each, author="p1", rationale="So.")
        for at, each in enumerate(judgements)
    )
    record = Record(
        item_id="i1", external_id="x1", task_type="code", payload=payload, judgements=given
    )
    counts = Counts()
    return list(CODE.exports[key].rows([record], policy, counts)), counts


def test_comments_stand_on_lines_and_on_files() -> None:
    odd: Json = {"title": "Odd", "diff": ODD}

    def comment(**where: Any) -> Json:
        said = {"severity": "nit", "body": "Why?", **where}
        return {"verdict": "comment", "comments": [said]}

    assert [] == CODE.check_item({}, odd)
    assert [] == pointers(odd, comment(path="logo.png"))
    assert [] == pointers(odd, comment(path="new name.txt", line=2, side="old"))
    assert [] == pointers(odd, comment(path="old name.txt", line=2, side="old"))
    assert ["/comments/0/line"] == pointers(odd, comment(path="old name.txt", line=2))
    assert ["/comments/0/line"] == pointers(odd, comment(path="logo.png", line=1))
    assert ["/comments/0/path"] == pointers(odd, comment(path="elsewhere.py"))


def test_gold_is_found_by_a_comment_nearby() -> None:
    gold: Json = {"verdict": "request_changes", "comments": [NIT, {**NIT, "line": 1}]}

    def agrees(verdict: str, *lines: int) -> float | None:
        comments = [{**NIT, "line": line} for line in lines]
        return CODE.gold_agrees({"verdict": verdict, "comments": comments}, gold, {})

    assert [1.0, 2 / 3, 1 / 3, 0.0] == [
        agrees("request_changes", 3),
        agrees("approve", 2),
        agrees("request_changes"),
        agrees("comment", 9),
    ]
    assert 1.0 == CODE.gold_agrees({"verdict": "approve"}, {"verdict": "approve"}, {})


def test_a_comment_is_exported_with_its_hunk_and_as_github_takes_it() -> None:
    payload = EXAMPLES["code"].payload
    whole = {"path": "shop/cart.py", "severity": "major", "body": "Split it."}
    judgement: Json = {
        "verdict": "request_changes",
        "comments": [{**NIT, "suggestion": "    return total"}, whole],
    }

    (line, file), counts = exported("review_comments", payload, judgement)
    ((github,), _) = exported("github_review", payload, judgement)

    assert (
        "@@ -1,4 +1,5 @@\n def total(lines):\n-    return sum(line.price for line in lines)\n"
        "+    amount = sum(line.price for line in lines)\n+    return amount"
    ) == line["diff_hunk"]
    assert ("", None, None, 2) == (file["diff_hunk"], file["line"], file["side"], counts.kept)
    assert "REQUEST_CHANGES" == github["review"]["event"]
    assert "So.\n\nshop/cart.py: Split it." == github["review"]["body"]
    assert [("RIGHT", 3)] == [(each["side"], each["line"]) for each in github["review"]["comments"]]
    suggested = "Return the sum itself.\n\n```suggestion\n    return total\n```"
    assert suggested == github["review"]["comments"][0]["body"]
    assert {"no_comments": 1} == exported("review_comments", payload, {"verdict": "approve"})[
        1
    ].dropped


def test_a_patch_becomes_a_row_of_swe_bench() -> None:
    about = {"instance_id": "shop-1", "repo": "lab/shop", "base_commit": "0" * 40}
    payload: Json = {
        **EXAMPLES["code"].payload,
        "description": "The sum is wrong.",
        "swe_bench": {**about, "FAIL_TO_PASS": ["test_sum"]},
    }
    patched: Json = {"verdict": "approve", "patch": DIFF}

    (row,), counts = exported("swe_bench", payload, patched, {"verdict": "approve"})

    assert [] == CODE.check_item({}, payload)
    assert ("shop-1", DIFF, "The sum is wrong.") == (
        row["instance_id"],
        row["patch"],
        row["problem_statement"],
    )
    assert ('["test_sum"]', "[]") == (row["FAIL_TO_PASS"], row["PASS_TO_PASS"])
    assert {"no_patch": 1} == counts.dropped


def test_approved_solutions_become_rows_of_humaneval(sample_data: Path) -> None:
    folder = sample_data / "humaneval_codet"
    problems = {
        row["task_id"]: row
        for row in map(json.loads, (folder / "HumanEval.jsonl").read_text().splitlines())
    }
    samples = folder / "codegen16b_samples_with_test_outcome.jsonl"
    kept = 0
    for sample in map(json.loads, samples.read_text().splitlines()[:60]):
        payload = reviewed(problems[sample["task_id"]], sample)
        assert [] == CODE.check_item({}, payload)
        verdict = "approve" if sample["passed"] else "comment"

        rows, counts = exported("human_eval", payload, {"verdict": verdict}, policy="majority")

        assert [sample["completion"]] * sample["passed"] == [
            row["canonical_solution"] for row in rows
        ]
        kept += counts.kept
    assert 0 < kept < 60


def reviewed(problem: Json, sample: Json) -> Json:
    """A model's completion as the change that adds it to the problem's prompt."""
    before, after = problem["prompt"].split("\n"), sample["completion"].split("\n")
    # The prompt ends in a line break, and so does a completion that does.
    ended = after[-1] == ""
    same, added = before[:-1], after[: -1 if ended else None]
    head = f"@@ -1,{len(same)} +1,{len(same) + len(added)} @@"
    lines = [*(f" {each}" for each in same), *(f"+{each}" for each in added)]
    end = "" if ended else "\\ No newline at end of file\n"
    diff = "\n".join(["--- a/solution.py", "+++ b/solution.py", head, *lines, end])
    names = ("task_id", "prompt", "entry_point", "test")
    return {
        "title": problem["task_id"],
        "diff": diff,
        "language": "python",
        "tests": {"passed": sample["passed"]},
        "human_eval": {name: problem[name] for name in names},
    }
