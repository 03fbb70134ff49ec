"""Label Studio's form, which most task types offer."""

from __future__ import annotations

from marketplace.tasktypes.exports import Column
from marketplace.tasktypes.formats import EVERY, Format

LABEL_STUDIO = Format(
    key="label_studio",
    title="Label Studio, tasks with annotations",
    help="Tasks with an annotation for each judgement, as Label Studio imports them. A task that "
    "came from there leaves as it came, ids and older annotations included. What its configuration "
    "cannot say is left out and counted.",
    columns=(
        Column("data", "object", "What the task shows."),
        Column("annotations", "list of objects", "One for each judgement, its results inside."),
        Column("predictions", "list of objects", "What models said before.", may_lack=True),
        Column("meta", "object", "Your own name of the item, and ours.", may_lack=True),
        Column("*", "any", "What else a task of Label Studio came with.", may_lack=True),
    ),
    policies=EVERY,
    suffix=".json",
    frame=(b"[\n", b",\n", b"]\n"),
)
