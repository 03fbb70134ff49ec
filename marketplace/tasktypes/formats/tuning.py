"""Formats of supervised fine-tuning and of corrections.

Sources: TRL's guide to dataset formats; OpenAI's guide to fine-tuning; the constitutional example
of NeMo-Aligner.
"""

from __future__ import annotations

from marketplace.tasktypes.exports import Column
from marketplace.tasktypes.formats import EVERY, EXTERNAL_ID, MESSAGES, PROMPT, Format

CONSTITUTION = Column("constitution", "object", "The principles, their version and their hash.")

TRL_MESSAGES = Format(
    key="trl_messages",
    title="TRL messages (SFT)",
    help="What TRL's supervised trainer reads: a conversation as messages, whose last answer is "
    "the specialist's. References, reasons and who wrote it are in the envelope only.",
    columns=(EXTERNAL_ID, Column("messages", MESSAGES, "The conversation, the answer last.")),
    policies=EVERY,
)
TRL_PROMPT_COMPLETION = Format(
    key="trl_prompt_completion",
    title="TRL prompt and completion (SFT)",
    help="What TRL's supervised trainer reads when it is to learn from the answer alone: what was "
    "asked, and apart from it what the specialist wrote.",
    columns=(EXTERNAL_ID, PROMPT, Column("completion", MESSAGES, "What the specialist wrote.")),
    policies=EVERY,
)
OPENAI_SFT = Format(
    key="openai_sft",
    title="OpenAI fine-tuning (SFT)",
    help="What OpenAI's supervised fine-tuning takes as its training file. Answers that stood in "
    "the conversation before carry the weight 0, so that only the specialist's words are learnt. "
    "The file has no place for ids.",
    columns=(Column("messages", MESSAGES, "The conversation; `weight` 0 on earlier answers."),),
    policies=EVERY,
)
NEMO_CAI = Format(
    key="nemo_cai",
    title="NeMo constitutional AI turns",
    help="The few-shot samples of NeMo-Aligner's constitutional AI: prompt, response, request for "
    "a critique, critique, request for a revision, revision, as turns of user and assistant. A row "
    "is one principle that was violated; the others are counted.",
    columns=(
        EXTERNAL_ID,
        Column("principle_id", "text", "Which principle the response went against."),
        CONSTITUTION,
        Column("messages", MESSAGES, "The six parts in turn."),
    ),
    policies=EVERY,
)
CORRECTED = Format(
    key="corrected",
    title="Corrected set",
    help="Our own form for tables: what was asked, the values as the specialist left them, the "
    "model's, and what became of each of its parts.",
    columns=(
        EXTERNAL_ID,
        Column("messages", MESSAGES, "What was asked."),
        Column("values", "object", "The values as corrected."),
        Column("original", "object or null", "The values that the model gave."),
        Column("corrected_from", "object or null", "Which model and version they came from."),
        Column("elements", "list of objects", "Each part: kept, edited, deleted or added."),
        Column("ops", "object", "How many parts were kept, edited, deleted and added."),
        Column("active_seconds", "whole number or null", "Time with the task in view."),
    ),
    policies=EVERY,
)
