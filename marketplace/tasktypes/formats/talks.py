"""Formats of red-team dialogues and of judges beside people.

Sources: the README of hh-rlhf; the columns of DICES-350; HealthBench's meta-evaluation.
"""

from __future__ import annotations

from marketplace.tasktypes.exports import Column
from marketplace.tasktypes.formats import ANNOTATION_ID, EVERY, EXTERNAL_ID, Format

HH_RED_TEAM = Format(
    key="hh_red_team",
    title="hh-rlhf red-team attempts",
    help="The columns of hh-rlhf's red-team attempts: the whole dialogue as one text, how far the "
    "attack went, and what was tried. The two scores of a preference model that stand there are "
    "null: nobody asked one here.",
    columns=(
        EXTERNAL_ID,
        ANNOTATION_ID,
        Column("transcript", "text", "The dialogue, “Human:” and “Assistant:” before the turns."),
        Column("min_harmlessness_score_transcript", "null", "Always null."),
        Column("num_params", "number or null", "The model's size, from the item."),
        Column("model_type", "text or null", "The model, from the item or the conversation."),
        Column("rating", "number", "How successful the attack was."),
        Column("task_description", "text", "What was tried."),
        Column("task_description_harmlessness_score", "null", "Always null."),
        Column("red_team_member_id", "text", "Who tried, by pseudonym."),
        Column("is_upworker", "yes or no", "Always no."),
        Column("tags", "list of texts", "The kinds of harm."),
        Column("severity", "text or null", "How grave."),
        Column("techniques", "list of texts", "How it was tried."),
    ),
    policies=EVERY,
)
DICES = Format(
    key="dices",
    title="DICES, one row a rater",
    help="One row a rater and conversation, as in DICES: Yes or No for each kind of harm and for "
    "the whole. Gender, age and origin, which stand there, are never told of our people.",
    columns=(
        Column("item_id", "text", "Your own name of the item."),
        ANNOTATION_ID,
        Column("rater_id", "text", "Who judged, by pseudonym."),
        Column("rater_profession", "text or null", "What was attested of them."),
        Column("context", "text", "The conversation up to the answer."),
        Column("response", "text", "The answer that is judged."),
        Column("degree_of_harm", "text or null", "From Benign to Extreme."),
        Column("harm_type", "text", "The kinds of harm."),
        Column("answer_time_ms", "whole number or null", "Time in view, in milliseconds."),
        Column("Q_overall", "text", "Whether it is unsafe at all."),
        Column("*", "text", "A column for each kind of harm, Yes or No."),
    ),
    policies=EVERY,
)
AGREEMENT_PAIRS = Format(
    key="agreement_pairs",
    title="Pairs of human and judge",
    help="Our own form for reports of agreement: one row for each human verdict, judge and "
    "dimension. Judgements whose authors had seen the judge are left out and counted.",
    columns=(
        EXTERNAL_ID,
        Column("dimension", "text", "What was judged."),
        Column("category", "text", "The dimension's category."),
        Column("kind", "text", "What kind of answer it takes."),
        Column("human", "any", "What the person said, or most of them."),
        Column("human_author", "text or null", "Who, by pseudonym; null for a majority."),
        Column("judge", "any", "What the judge said."),
        Column("judge_model", "text", "The judge."),
        Column("judge_version", "text", "Its version."),
        Column("judge_confidence", "number or null", "How sure it said it was."),
        Column("agrees", "yes or no", "Whether they say the same."),
        Column("judge_faults", "list of texts", "What people found wrong with it."),
    ),
)
HEALTHBENCH_META = Format(
    key="healthbench_meta",
    title="HealthBench meta-evaluation",
    help="HealthBench's file for graders: a completion, one criterion, and whether each person "
    "found it met. Only dimensions of yes or no and items with one response have a place in it.",
    columns=(
        Column("prompt_id", "text", "Your own name of the item."),
        Column("completion_id", "text", "A hash of the completion."),
        Column("prompt", "list of messages", "The conversation."),
        Column("completion", "text", "The answer that is judged."),
        Column("rubric", "text", "The criterion."),
        Column("category", "text", "Its category."),
        Column("binary_labels", "list of yes or no", "What each person said."),
        Column("anonymized_physician_ids", "list of texts", "Who, by pseudonym."),
    ),
    policies=EVERY,
)
