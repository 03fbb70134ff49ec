"""The envelope: everything that may be told of a judgement."""

from __future__ import annotations

from marketplace.tasktypes.exports import Column
from marketplace.tasktypes.formats import ANNOTATION_ID, EXTERNAL_ID, Format

TIME = "time, RFC 3339, UTC"

RAW = Format(
    key="raw",
    title="Envelope, every judgement",
    help="Everything, one judgement a row: who (by pseudonym, with what was attested then), when "
    "and how long, under which template and guidelines, with which help of AI, reviewed and scored "
    "how. Whatever another format leaves out is here; keep this file beside any other.",
    columns=(
        Column("schema_version", "whole number", "The version of this form."),
        ANNOTATION_ID,
        Column("item_id", "text", "The item, by the name it has everywhere."),
        EXTERNAL_ID,
        Column("task_type", "text", "The kind of task."),
        Column("template_version", "whole number", "Which template the author worked under."),
        Column("guidelines_sha256", "text or null", "Which guidelines the author had read."),
        Column("item_content_sha256", "text", "The hash of the item's content."),
        Column("payload", "object", "The item as you sent it."),
        Column("is_gold", "yes or no", "Whether the answer was known beforehand."),
        Column("judgement", "object", "What was judged, in the task type's own form."),
        Column("rationale", "text or null", "Why."),
        Column("rationale_claims", "list of objects", "The reasons as claims with evidence."),
        Column("confidence", "number or null", "How sure the author was, 0 to 1."),
        Column("flags", "list of texts", "What the author said of the item."),
        Column("references", "list of objects", "What the author cites."),
        Column("ai_policy", "any", "Which help of AI the job allowed.", may_lack=True),
        Column("ai_use", "any", "Which help of AI the author had."),
        Column("presented_order", "list of texts", "In which order the responses were shown."),
        Column("author", "object", "Pseudonym, kind, and what was attested at the time."),
        Column("opened_at", TIME, "When the task was opened."),
        Column("submitted_at", TIME, "When it was handed in."),
        Column("active_seconds", "whole number", "Time with the task in view."),
        Column("idle_seconds", "whole number", "Time away from it."),
        Column("spent", "list of objects", "Stretches of time with notes."),
        Column("surplus", "yes or no", "Whether it is beyond what the job asked for."),
        Column("repeats", "text or null", "The author's own earlier answer that this repeats."),
        Column("round", "whole number", "2 and more after rework."),
        Column("addenda", "list of objects", "What the author added later."),
        Column("prelabels", "list of objects", "What models had said of the item."),
        Column("review", "object or null", "Who decided about it, how and why."),
        Column("history", "list of objects", "What became of it, step by step."),
        Column("quality", "object", "Gold score, skill, and judgements on the item."),
        Column("row_sha256", "text", "The hash of the row without this field."),
        Column("labels", "object", "Policy `model`: what is believed of each unit.", may_lack=True),
        Column("labelled_by", "text", "Policy `model`: whose word that is.", may_lack=True),
        Column("majority", "object", "Policy `majority`: labels that have one.", may_lack=True),
        Column("change", "text", "In increments: new, changed or withdrawn.", may_lack=True),
    ),
)
