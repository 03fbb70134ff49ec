"""Formats of code reviews. Sources: GitHub's REST reference; HumanEval's README."""

from __future__ import annotations

from marketplace.tasktypes.exports import Column
from marketplace.tasktypes.formats import EXTERNAL_ID, Format

TITLE = Column("title", "text", "The title of the change.")
LANGUAGE = Column("language", "text", "The language of the code.")
VERDICT = Column("verdict", "text", "approve, comment or request_changes.")

CODE_REVIEW = Format(
    key="code_review",
    title="Code review",
    help="Our own form for models that review: the change, the verdict and all comments. Under a "
    "majority the row holds the comments of those who share its verdict.",
    columns=(
        EXTERNAL_ID,
        TITLE,
        Column("description", "text", "What the author of the change says."),
        LANGUAGE,
        Column("diff", "text", "The change."),
        VERDICT,
        Column("comments", "list of objects", "Path, line, side, severity, category, body."),
        Column("patches", "list of texts", "Changes that reviewers wrote."),
    ),
)
REVIEW_COMMENTS = Format(
    key="review_comments",
    title="Review comments with hunks",
    help="One row a comment with the lines of the change that it stands on, as GitHub gives them, "
    "for models that write comments. Reviews without one are counted.",
    columns=(
        EXTERNAL_ID,
        TITLE,
        LANGUAGE,
        VERDICT,
        Column("diff_hunk", "text", "The hunk up to the line; empty for a whole file."),
        Column("path", "text", "The file."),
        Column("line", "whole number or null", "The line; null for a whole file."),
        Column("side", "text or null", "new or old."),
        Column("severity", "text", "How much it matters.", may_lack=True),
        Column("category", "text or null", "What it is about."),
        Column("body", "text", "The comment."),
        Column("suggestion", "text or null", "What should stand there instead."),
    ),
)
GITHUB_REVIEW = Format(
    key="github_review",
    title="GitHub review",
    help="The body of GitHub's request “create a review”, so that a review can be posted as it "
    "is. Comments on a whole file open the review's own text, since GitHub's need a line.",
    columns=(EXTERNAL_ID, Column("review", "object", "`event`, `body` and `comments`.")),
)
HUMAN_EVAL = Format(
    key="human_eval",
    title="HumanEval",
    help="HumanEval's columns for what reviewers approved; the solution is what the change leaves "
    "after the prompt. What was not approved, or is no such problem, is counted.",
    columns=(
        Column("task_id", "text", "The problem."),
        Column("prompt", "text", "What the function must do."),
        Column("entry_point", "text", "The function's name."),
        Column("canonical_solution", "text", "The approved solution."),
        Column("test", "text", "The tests."),
    ),
)
