"""Code review: comments on the lines of a diff, a verdict, and a patch where one is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from marketplace.errors import Fault
from marketplace.tasktypes import pieces
from marketplace.tasktypes.contract import TaskType
from marketplace.tasktypes.diffs import lines_of
from marketplace.tasktypes.exports import Counts, Exporter, ExportRow, Policy, catalogue
from marketplace.tasktypes.records import Record
from marketplace.tasktypes.shapes import Json, Shape, listed
from marketplace.tasktypes.votes import Units, majority

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

ITEM = Shape(
    pieces.contract(
        "Item of a code review",
        {
            "title": pieces.words(500),
            "description": pieces.text(),
            "diff": pieces.words(),
            "language": pieces.text(50),
            "files": pieces.listing(FILE, most=100),
            "context": pieces.CONTEXT,
            "metadata": pieces.METADATA,
        },
        ("title", "diff"),
    )
)

COMMENT = pieces.closed(
    {
        "path": pieces.words(500),
        "line": pieces.whole(1, 10_000_000),
        "side": pieces.one_of("new", "old"),
        "severity": pieces.one_of("blocker", "major", "minor", "nit"),
        "category": pieces.KEY,
        "body": pieces.words(20_000),
        "suggestion": pieces.text(20_000),
    },
    ("path", "line", "severity", "body"),
)

JUDGEMENT = Shape(
    pieces.contract(
        "Judgement of a code review",
        {
            "verdict": pieces.one_of("approve", "comment", "request_changes"),
            "comments": pieces.listing(COMMENT, most=200),
            "patch": pieces.text(),
        },
        ("verdict",),
    )
)


def item_rule(_template: Json, payload: Json) -> list[Fault]:
    if not lines_of(payload["diff"]):
        advice = "It needs lines “--- a/…”, “+++ b/…” and “@@ … @@”."
        return [Fault("/diff", f"This is not a unified diff. {advice}")]
    return []


def judgement_rule(template: Json, payload: Json, judgement: Json) -> list[Fault]:
    comments = judgement.get("comments", [])
    shown = lines_of(payload["diff"])
    faults = []
    for number, comment in enumerate(comments):
        faults += comment_faults(template, shown, comment, f"/comments/{number}")
    if judgement["verdict"] == "request_changes" and not comments:
        faults.append(Fault("/comments", "Say in a comment what must change."))
    return faults + patch_faults(template.get("patch", "off"), judgement.get("patch", ""))


def comment_faults(
    template: Json, shown: dict[tuple[str, str], set[int]], comment: Json, place: str
) -> list[Fault]:
    faults = []
    side = comment.get("side", "new")
    if comment["line"] not in shown.get((comment["path"], side), set()):
        paths = listed(sorted({path for path, _ in shown}))
        advice = f"Comment on a line that the diff shows; its files: {paths}."
        faults.append(Fault(f"{place}/line", advice))
    categories = template.get("categories", [])
    if categories and comment.get("category") not in categories:
        faults.append(Fault(f"{place}/category", f"Choose one of {listed(categories)}."))
    return faults


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


def code_review(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """The diff with verdict and comments; a majority row holds the comments of those in it."""
    for record in records:
        given = record.in_order()
        if not given:
            counts.drop("no_judgement")
            continue
        if policy is Policy.ALL:
            ballots = [(one.judgement["verdict"], [one.judgement]) for one in given]
        else:
            verdict = majority(one.judgement["verdict"] for one in given)
            agreeing = [one.judgement for one in given if one.judgement["verdict"] == verdict]
            ballots = [(verdict, agreeing)]
        for verdict, judgements in ballots:
            if verdict is None:
                counts.drop("no_majority")
            else:
                counts.keep()
                yield row(record, verdict, judgements)


def row(record: Record, verdict: str, judgements: list[Json]) -> ExportRow:
    comments = [comment for one in judgements for comment in one.get("comments", [])]
    return {
        "external_id": record.external_id,
        "title": record.payload["title"],
        "description": record.payload.get("description", ""),
        "language": record.payload.get("language", ""),
        "diff": record.payload["diff"],
        "verdict": verdict,
        "comments": [{"side": "new", **comment} for comment in comments],
        "patches": [one["patch"] for one in judgements if one.get("patch")],
    }


CODE = TaskType(
    key="code",
    title="Code review",
    template=TEMPLATE,
    item=ITEM,
    judgement=JUDGEMENT,
    units=units,
    formats=catalogue(Exporter(key="code_review", title="Code review", convert=code_review)),
    item_rule=item_rule,
    judgement_rule=judgement_rule,
)
