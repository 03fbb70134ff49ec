"""Code reviews as rows: whole reviews, single comments with their hunks, GitHub, SWE-bench,
HumanEval."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from marketplace.tasktypes.diffs import ChangedFile, Hunk, files_of
from marketplace.tasktypes.exports import Counts, ExportRow, Policy, catalogue, line
from marketplace.tasktypes.formats import agents, code
from marketplace.tasktypes.records import AuthoredJudgement, Record
from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.votes import majority

SIGNS = {"added": "+", "removed": "-", "same": " "}
EVENTS = {"approve": "APPROVE", "comment": "COMMENT", "request_changes": "REQUEST_CHANGES"}


def ballots(
    record: Record, policy: Policy, counts: Counts
) -> Iterator[tuple[str, list[AuthoredJudgement]]]:
    """Verdicts with the judgements behind them: one by one, or the majority with who is in it.

    What gives none is counted as dropped; the caller keeps what it gets.
    """
    given = record.in_order()
    if not given:
        counts.drop("no_judgement")
    elif policy is Policy.ALL:
        for one in given:
            yield one.judgement["verdict"], [one]
    else:
        verdict = majority(one.judgement["verdict"] for one in given)
        if verdict is None:
            counts.drop("no_majority")
        else:
            yield verdict, [one for one in given if one.judgement["verdict"] == verdict]


def comments_of(judgements: list[AuthoredJudgement]) -> list[Json]:
    """Their comments, in the order of the judgements, each with its side."""
    found = [comment for one in judgements for comment in one.judgement.get("comments", [])]
    return [{"side": "new", **comment} if "line" in comment else comment for comment in found]


def code_review(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """The diff with verdict and comments; a majority row holds the comments of those in it."""
    for record in records:
        for verdict, judgements in ballots(record, policy, counts):
            counts.keep()
            yield {
                "external_id": record.external_id,
                "title": record.payload["title"],
                "description": record.payload.get("description", ""),
                "language": record.payload.get("language", ""),
                "diff": record.payload["diff"],
                "verdict": verdict,
                "comments": comments_of(judgements),
                "patches": [
                    one.judgement["patch"] for one in judgements if one.judgement.get("patch")
                ],
            }


def review_comments(
    records: Iterable[Record], policy: Policy, counts: Counts
) -> Iterator[ExportRow]:
    """One row a comment, with the hunk up to its line as GitHub gives it; comments are counted."""
    for record in records:
        files = files_of(record.payload["diff"])
        for verdict, judgements in ballots(record, policy, counts):
            comments = comments_of(judgements)
            if not comments:
                counts.drop("no_comments")
            for comment in comments:
                counts.keep()
                yield {
                    "external_id": record.external_id,
                    "title": record.payload["title"],
                    "language": record.payload.get("language", ""),
                    "verdict": verdict,
                    "diff_hunk": hunk_until(files, comment),
                    "line": None,
                    "side": None,
                    "category": None,
                    "suggestion": None,
                    **comment,
                }


def hunk_until(files: list[ChangedFile], comment: Json) -> str:
    """The hunk in which a comment stands, from its head to the comment's line; "" for a file's."""
    for file in files:
        if comment["path"] not in {file.path, file.old}:
            continue
        for hunk in file.hunks:
            for at, each in enumerate(hunk.lines):
                number = each.old if comment.get("side") == "old" else each.new
                if number is not None and number == comment.get("line"):
                    return "\n".join([head(hunk), *written(hunk, at + 1)])
    return ""


def head(hunk: Hunk) -> str:
    old = sum(each.old is not None for each in hunk.lines)
    new = sum(each.new is not None for each in hunk.lines)
    said = f"@@ -{hunk.old_start},{old} +{hunk.new_start},{new} @@"
    return f"{said} {hunk.head}" if hunk.head else said


def written(hunk: Hunk, until: int) -> list[str]:
    return [SIGNS[each.kind] + each.text for each in hunk.lines[:until]]


def github_review(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """The body of GitHub's “create a review”, with the external id beside it.

    Its comments need a line, so those on a whole file open the review's own text.
    """
    for record in records:
        for verdict, judgements in ballots(record, policy, counts):
            counts.keep()
            comments = comments_of(judgements)
            whole = [f"{each['path']}: {each['body']}" for each in comments if "line" not in each]
            said = [one.rationale for one in judgements if one.rationale]
            yield {
                "external_id": record.external_id,
                "review": {
                    "event": EVENTS[verdict],
                    "body": "\n\n".join([*said, *whole]),
                    "comments": [on_github(each) for each in comments if "line" in each],
                },
            }


def on_github(comment: Json) -> Json:
    body = comment["body"]
    if comment.get("suggestion"):
        body = f"{body}\n\n```suggestion\n{comment['suggestion']}\n```"
    side = "LEFT" if comment["side"] == "old" else "RIGHT"
    return {"path": comment["path"], "line": comment["line"], "side": side, "body": body}


def swe_bench(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """One row a patch that a specialist wrote, with SWE-bench's columns."""
    for record in records:
        about = record.payload.get("swe_bench")
        if not record.judgements:
            counts.drop("no_judgement")
        for one in record.in_order():
            patch = one.judgement.get("patch")
            if about is None or not patch:
                counts.drop("no_patch" if about is not None else "no_instance")
                continue
            counts.keep()
            yield {
                "instance_id": about["instance_id"],
                "annotation_id": one.annotation_id,
                "repo": about["repo"],
                "base_commit": about["base_commit"],
                "problem_statement": about.get("problem_statement")
                or record.payload.get("description", ""),
                "hints_text": "",
                "patch": patch,
                "test_patch": about.get("test_patch", ""),
                # Lists stand as JSON in a text, as the published rows have them.
                "FAIL_TO_PASS": as_text(about.get("FAIL_TO_PASS", [])),
                "PASS_TO_PASS": as_text(about.get("PASS_TO_PASS", [])),
                "version": about.get("version", ""),
                "created_at": about.get("created_at", ""),
                "environment_setup_commit": "",
            }


def as_text(names: list[str]) -> str:
    return line({"": names}).decode()[4:-2]


def human_eval(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """HumanEval's columns for what was approved; the solution is what stands after the prompt.

    The diff must show the whole of its one file, as one that adds a function to a prompt does.
    """
    for record in records:
        about = record.payload.get("human_eval")
        for verdict, _judgements in ballots(record, policy, counts):
            solution = None if about is None else solution_in(record.payload["diff"], about)
            if about is None:
                counts.drop("no_problem")
            elif verdict != "approve":
                counts.drop("not_approved")
            elif solution is None:
                counts.drop("solution_not_shown")
            else:
                counts.keep()
                yield {**about, "canonical_solution": solution}


def solution_in(diff: str, about: Json) -> str | None:
    """What a change leaves after the prompt, where the diff shows the file from its first line."""
    files = files_of(diff)
    hunks = files[0].hunks if len(files) == 1 else []
    if len(hunks) != 1 or hunks[0].new_start > 1:
        return None
    after = [each for each in hunks[0].lines if each.new is not None]
    text = "".join(each.text + ("\n" if each.ends else "") for each in after)
    return text[len(about["prompt"]) :] if text.startswith(about["prompt"]) else None


EXPORTS = catalogue(
    code.CODE_REVIEW.by(code_review),
    code.REVIEW_COMMENTS.by(review_comments),
    code.GITHUB_REVIEW.by(github_review),
    agents.SWE_BENCH.by(swe_bench),
    code.HUMAN_EVAL.by(human_eval),
)
