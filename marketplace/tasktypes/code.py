"""Code review: comments on the lines of a diff, a verdict, and a patch where one is asked for.

A comment stands on a line of a file before or after the change, or on a file as a whole where it
names no line. Paths are those after the change; a file that is gone keeps its former one.
"""

from __future__ import annotations

from collections.abc import Hashable

from marketplace.errors import Fault
from marketplace.tasktypes import pieces
from marketplace.tasktypes.code_exports import EXPORTS
from marketplace.tasktypes.contract import TaskType
from marketplace.tasktypes.diffs import files_of, lines_of, paths_of
from marketplace.tasktypes.scales import Mark, Scale, ScaleKind, Scales, nominal
from marketplace.tasktypes.shapes import Json, Shape, listed
from marketplace.tasktypes.votes import Units, share_matched

DIFF_MAX = 500_000
# A colleague who comments a line or two away has seen the same thing.
NEAR_LINES = 2
VERDICTS = ("approve", "comment", "request_changes")
SEVERITIES = ("blocker", "major", "minor", "nit")

TEMPLATE = Shape(
    pieces.contract(
        "Template of a code review",
        {
            **pieces.TEMPLATE_FIELDS,
            "categories": pieces.listing(pieces.KEY, most=30),
            "patch": pieces.one_of("off", "optional", "required"),
        },
    )
)

FILE = pieces.closed({"path": pieces.words(500), "content": pieces.text()}, ("path", "content"))

NAMES = pieces.listing(pieces.words(1_000), most=5_000)
SWE_BENCH: Json = {
    **pieces.closed(
        {
            "instance_id": pieces.words(200),
            "repo": pieces.words(200),
            "base_commit": pieces.words(64),
            "problem_statement": pieces.text(),
            "test_patch": pieces.text(),
            "FAIL_TO_PASS": NAMES,
            "PASS_TO_PASS": NAMES,
            "version": pieces.text(50),
            "created_at": pieces.text(50),
        },
        ("instance_id", "repo", "base_commit"),
    ),
    "description": "Columns of a SWE-bench row, for that export; never shown.",
}
HUMAN_EVAL: Json = {
    **pieces.closed(
        {
            "task_id": pieces.words(200),
            "prompt": pieces.words(),
            "entry_point": pieces.words(200),
            "test": pieces.words(),
        },
        ("task_id", "prompt", "entry_point", "test"),
    ),
    "description": "Columns of a HumanEval row, for that export; never shown.",
}

ITEM = Shape(
    pieces.contract(
        "Item of a code review",
        {
            "title": pieces.words(500),
            "description": pieces.text(),
            "diff": pieces.words(DIFF_MAX),
            "language": pieces.text(50),
            "files": pieces.listing(FILE, most=100),
            "tests": {
                **pieces.closed({"passed": pieces.FLAG, "output": pieces.text()}),
                "description": "What running the tests on the change said; shown to the reviewer.",
            },
            "swe_bench": SWE_BENCH,
            "human_eval": HUMAN_EVAL,
            "context": pieces.CONTEXT,
            "metadata": pieces.METADATA,
        },
        ("title", "diff"),
    )
)

COMMENT = pieces.closed(
    {
        "path": pieces.words(500),
        "line": {
            **pieces.whole(1, 10_000_000),
            "description": "A line that the diff shows; without one the comment is on the file.",
        },
        "side": pieces.one_of("new", "old"),
        "severity": pieces.one_of(*SEVERITIES),
        "category": pieces.KEY,
        "body": pieces.words(20_000),
        "suggestion": pieces.text(20_000),
    },
    ("path", "severity", "body"),
)

JUDGEMENT = Shape(
    pieces.contract(
        "Judgement of a code review",
        {
            "verdict": pieces.one_of(*VERDICTS),
            "comments": pieces.listing(COMMENT, most=200),
            "patch": pieces.text(),
        },
        ("verdict",),
    )
)


def item_rule(_template: Json, payload: Json) -> list[Fault]:
    if not files_of(payload["diff"]):
        advice = "It needs lines “--- a/…”, “+++ b/…” and “@@ … @@”."
        return [Fault("/diff", f"This is not a unified diff. {advice}")]
    return []


def judgement_rule(template: Json, payload: Json, judgement: Json) -> list[Fault]:
    comments = judgement.get("comments", [])
    shown, paths = (lines_of(payload["diff"]), paths_of(payload["diff"])) if comments else ({}, [])
    faults = []
    for number, comment in enumerate(comments):
        place = f"/comments/{number}"
        faults += place_faults(shown, paths, comment, place)
        categories = template.get("categories", [])
        if categories and comment.get("category") not in categories:
            faults.append(Fault(f"{place}/category", f"Choose one of {listed(categories)}."))
    if judgement["verdict"] == "request_changes" and not comments:
        faults.append(Fault("/comments", "Say in a comment what must change."))
    return faults + patch_faults(template.get("patch", "off"), judgement.get("patch", ""))


def place_faults(
    shown: dict[tuple[str, str], set[int]], paths: list[str], comment: Json, place: str
) -> list[Fault]:
    """What is wrong with where a comment stands."""
    path, side = comment["path"], comment.get("side", "new")
    if "line" in comment:
        if comment["line"] in shown.get((path, side), set()):
            return []
        advice = f"Comment on a line that the diff shows; its files: {listed(sorted(paths))}."
        return [Fault(f"{place}/line", advice)]
    if path in paths:
        return []
    advice = f"The diff changes no file of this name; its files: {listed(sorted(paths))}."
    return [Fault(f"{place}/path", advice)]


def patch_faults(wanted: str, patch: str) -> list[Fault]:
    given = bool(patch.strip())
    if given and wanted == "off":
        return [Fault("/patch", "This job takes no patch. Leave it out.")]
    if wanted == "required" and not given:
        return [Fault("/patch", "Give your patch as a unified diff.")]
    if given and not lines_of(patch):
        return [Fault("/patch", "This is not a unified diff.")]
    return []


def units(judgement: Json) -> Units:
    """The verdict; comments are matched, not voted on."""
    return {"verdict": judgement["verdict"]}


def scales(_template: Json) -> Scales:
    return {
        "verdict": nominal(*VERDICTS),
        "comments.*": Scale(ScaleKind.SPANS, SEVERITIES, silence=""),
    }


def marks(_template: Json, judgement: Json) -> list[Mark]:
    """Each comment at its line, with its severity; one on a whole file stands
    before the first, out of reach of all."""
    return [
        Mark(
            f"comments.{comment.get('side', 'new')}.{comment['path']}",
            str(at),
            str(comment["severity"]),
            {"kind": "point", "points": [[comment.get("line", -NEAR_LINES), 0]]},
            reach=NEAR_LINES,
        )
        for at, comment in enumerate(judgement.get("comments", []))
    ]


def gold_rule(judgement: Json, gold: Json, _template: Json) -> float | None:
    """The share of gold's verdict and comments that the judgement has; a comment counts as found
    where one stands within NEAR_LINES of it, on the same side of the same file."""
    given = judgement.get("comments", [])
    wanted: Units = {f"comments.{at}": at for at in range(len(gold.get("comments", [])))}

    def found(_key: Hashable, at: Hashable) -> bool:
        return any(near(comment, gold["comments"][at]) for comment in given)

    matched = share_matched(wanted, wanted, found) or 0.0
    verdict = bool(judgement["verdict"] == gold["verdict"])
    return (matched * len(wanted) + float(verdict)) / (len(wanted) + 1)


def near(comment: Json, other: Json) -> bool:
    if comment["path"] != other["path"] or comment.get("side", "new") != other.get("side", "new"):
        return False
    if "line" not in comment or "line" not in other:
        return "line" not in comment and "line" not in other
    return bool(abs(comment["line"] - other["line"]) <= NEAR_LINES)


CODE = TaskType(
    key="code",
    title="Code review",
    template=TEMPLATE,
    item=ITEM,
    judgement=JUDGEMENT,
    units=units,
    scales=scales,
    marks=marks,
    formats=EXPORTS,
    item_rule=item_rule,
    judgement_rule=judgement_rule,
    gold_rule=gold_rule,
)
