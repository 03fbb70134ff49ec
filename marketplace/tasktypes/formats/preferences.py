"""Formats that say “this response over that one”, and how good one is.

Sources: TRL's guide to dataset formats; OpenAI's guide to direct preference optimisation; the
cards of HelpSteer2 and HelpSteer3; the README of hh-rlhf; Open Assistant's schema of trees.
"""

from __future__ import annotations

from marketplace.tasktypes.exports import Column
from marketplace.tasktypes.formats import EVERY, EXTERNAL_ID, MESSAGES, PROMPT, Format

MARGIN = Column("margin", "number, 0 to 3", "How strongly it was preferred; 0 where nobody said.")
WEIGHT = Column("weight", "number, 0 to 1", "One over the pairs of the ranking, so they sum to 1.")
TURN = Column("turn", "whole number", "Which turn of the conversation, from 1.")

HELPSTEER3 = Format(
    key="helpsteer3",
    title="HelpSteer3 preference",
    help="NVIDIA's HelpSteer3: a row holds both responses, one overall score, and the score and "
    "reasoning of every judgement, so dissent is not lost. Reward models and generative judges are "
    "trained on it. It has no word for “both are bad”: such judgements are left out and counted.",
    columns=(
        Column("domain", "text", "The job's domain."),
        Column("language", "text", "The language of the texts."),
        Column("context", MESSAGES, "What was asked, `{role, content}` each."),
        Column("response1", "text", "The first response."),
        Column("response2", "text", "The second response."),
        Column(
            "overall_preference",
            "whole number, -3 to 3",
            "-3: the first is much better; 0: a tie; 3: the second is much better.",
        ),
        Column(
            "individual_preference",
            "list of objects",
            "Each judgement: `score`, `reasoning`, and two feedbacks that are null here.",
        ),
    ),
)
TRL_PREFERENCE = Format(
    key="trl_preference",
    title="TRL preference",
    help="What TRL's DPO, reward, CPO and ORPO trainers read: a prompt, the response that was "
    "preferred and the one that was not, as messages. A tie is no preference: it is left out and "
    "counted. Who judged, and why, is not in it.",
    columns=(
        EXTERNAL_ID,
        PROMPT,
        Column("chosen", MESSAGES, "The response that was preferred."),
        Column("rejected", MESSAGES, "The response that was not."),
    ),
)
TRL_UNPAIRED = Format(
    key="trl_unpaired",
    title="TRL unpaired preference",
    help="What TRL's KTO and BCO trainers read: one response a row, and whether it is good.",
    columns=(
        EXTERNAL_ID,
        PROMPT,
        Column("completion", MESSAGES, "The response."),
        Column("label", "yes or no", "Whether it is what one wants."),
    ),
)
OPENAI_DPO = Format(
    key="openai_dpo",
    title="OpenAI preference (DPO)",
    help="What OpenAI's fine-tuning with direct preference optimisation takes as its training "
    "file: two answers to one conversation. Ties are left out and counted; the file has no place "
    "for ids, strength or reasons.",
    columns=(
        Column("input", "object", "`messages`, no tools, and `parallel_tool_calls`."),
        Column("preferred_output", MESSAGES, "The answer that was preferred."),
        Column("non_preferred_output", MESSAGES, "The answer that was not."),
    ),
)
HH_RLHF = Format(
    key="hh_rlhf",
    title="hh-rlhf preference",
    help="The shape of Anthropic's hh-rlhf: two whole dialogues as text, alike but for the last "
    "answer, with “Human:” and “Assistant:” before the turns. What a system was told opens both "
    "texts. A text that itself holds such a mark of a turn would be read as two: its row is left "
    "out and counted, as ties are.",
    columns=(
        Column("chosen", "text", "The dialogue with the answer that was preferred."),
        Column("rejected", "text", "The dialogue with the other answer."),
    ),
)
HELPSTEER2_PREFERENCE = Format(
    key="helpsteer2_preference",
    title="HelpSteer2 preference subset",
    help="The preference file of NVIDIA's HelpSteer2: both responses, the strength as the mean of "
    "the three judgements that are nearest to each other, and all of them beside it. It has no "
    "word for “both are bad”: such judgements are left out and counted.",
    columns=(
        Column("split", "text", "Always `train`; the split is yours to make."),
        Column("prompt", "text", "What was asked; several messages with the role before each."),
        Column("response_1", "text", "The first response."),
        Column("response_2", "text", "The second response."),
        Column("preference_strength", "whole number, -3 to 3", "Above 0 the second is better."),
        Column("preference_statement", "text", "The strength in words."),
        Column("preference_elaboration", "text", "The reasons of whoever said just that."),
        Column("three_most_similar_preferences", "list of objects", "What the strength rests on."),
        Column("all_preferences_unprocessed", "list of objects", "Every judgement."),
    ),
)
HELPSTEER2 = Format(
    key="helpsteer2",
    title="HelpSteer2",
    help="NVIDIA's HelpSteer2: prompt, response and one column of scores for each aspect, for "
    "reward models with several heads. “Not applicable” and scores without a majority are null, "
    "and counted; reasons are not in it.",
    columns=(
        EXTERNAL_ID,
        Column("prompt", "text", "What was asked; several messages with the role before each."),
        Column("response", "text", "The response that was rated."),
        Column("*", "whole number or null", "A column for each aspect, named after its key."),
    ),
)
OASST = Format(
    key="oasst",
    title="OpenAssistant trees",
    help="Message trees as OpenAssistant published them: prompter and assistant in turn, the "
    "replies to one message ranked from 0, the best. The format begins with a prompter and knows "
    "no system: what a system was told stands beside the tree.",
    columns=(
        Column("message_tree_id", "text", "The tree; the id of its first message."),
        Column("tree_state", "text", "Always `ready_for_export`."),
        Column("origin", "text", "Your own name of the item."),
        Column("prompt", "object", "The first message, its replies inside it."),
        Column("system", "text", "What a system was told.", may_lack=True),
    ),
    policies=EVERY,
)
