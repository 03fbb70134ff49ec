"""Formats of judged runs of agents, step by step and as a whole.

Sources: TRL's guide to dataset formats; the README of PRM800K; the columns of AgentRewardBench and
of Who&When; tau-bench's error identification; Hugging Face's session traces.
"""

from __future__ import annotations

from marketplace.tasktypes.exports import Column
from marketplace.tasktypes.formats import EVERY, EXTERNAL_ID, Format

AGENT_REWARD_COLUMNS = (
    Column("annotator_name", "text", "Who judged, by pseudonym, or `majority`."),
    Column("benchmark", "text", "From the item's metadata, else the job's domain."),
    Column("task_id", "text", "From the item's metadata, else your name of the item."),
    Column("model_name", "text", "From the item's metadata."),
    Column("trajectory_success", "text", "Successful, Unsuccessful or Unsure."),
    Column("trajectory_side_effect", "text", "Yes, No or Unsure; empty where not asked."),
    Column("trajectory_optimality", "text", "One of the four degrees; empty where not asked."),
    Column("trajectory_looping", "text", "Yes, No or Unsure; empty where not asked."),
    Column("comments", "text", "The reason that was given."),
)

TRL_STEPWISE = Format(
    key="trl_stepwise",
    title="TRL stepwise supervision (neutral steps are right)",
    help="What TRL's process reward trainer reads: a prompt, the steps as texts, and whether each "
    "is right. Steps are told up to the first that nobody judged; what others said goes before the "
    "next step. A neutral step counts as right.",
    columns=(
        EXTERNAL_ID,
        Column("prompt", "text", "The documents and the goal of the run."),
        Column("completions", "list of texts", "The steps."),
        Column("labels", "list of yes or no", "Whether each step is right."),
    ),
)
PRM800K = Format(
    key="prm800k",
    title="PRM800K records",
    help="The records that PRM800K published: the question, each step with its rating -1, 0 or 1, "
    "who judged and for how long, and whether the item was a known one. A run has one course, so "
    "a step has one completion; nothing is flagged, since the form asks for no such mark.",
    columns=(
        Column("labeler", "text", "Who judged, by pseudonym."),
        Column("timestamp", "text or null", "When it was handed in."),
        Column("generation", "whole number or null", "Always null: one course of the run."),
        Column("is_quality_control_question", "yes or no", "Whether the answer was known."),
        Column("is_initial_screening_question", "yes or no", "Whether it was a qualification."),
        Column("question", "object", "Problem, known solution, and the steps of the run."),
        Column("label", "object", "Steps with ratings, time in milliseconds, how it ended."),
        Column("external_id", "text", "Your own name of the item."),
    ),
    policies=EVERY,
)
STEPS = Format(
    key="steps",
    title="One row a step",
    help="Our own form for tables and for judges of single steps: each step that has a rating, "
    "with whatever else was marked on it. Steps without a rating are not in it.",
    columns=(
        EXTERNAL_ID,
        Column("author", "text", "Who judged, by pseudonym, or `majority`."),
        Column("step_id", "text", "The step by its own id."),
        Column("number", "whole number", "Its place in the run, from 0."),
        Column("kind", "text", "What kind of step it is."),
        Column("agent", "text or null", "Which agent took it."),
        Column("tool", "text or null", "Which tool it called."),
        Column("correctness", "whole number, -1 to 1", "Wrong, neutral or right."),
        Column("implied", "yes or no", "Whether it follows from the first error."),
        Column("*", "any", "Other marks on the step, where the job asked.", may_lack=True),
    ),
)
AGENT_REWARD_BENCH = Format(
    key="agent_reward_bench",
    title="AgentRewardBench",
    help="The columns of AgentRewardBench's annotations: success, side effects, optimality and "
    "looping of a whole run, for judges of agents. Marks on single steps are not in it.",
    columns=AGENT_REWARD_COLUMNS,
)
WHO_AND_WHEN = Format(
    key="who_and_when",
    title="Who&When",
    help="Failed runs with the agent that answers for the failure, the decisive step and the "
    "reason, as in Who&When. Runs without an error have no place in it; they are counted.",
    columns=(
        Column("question_ID", "text", "From the item's metadata, else your name of the item."),
        Column("question", "text", "The goal of the run."),
        Column("ground_truth", "text", "From the item's metadata."),
        Column("history", "list of messages", "The run, `{role, content, name}` each."),
        Column("is_correct", "yes or no", "Whether the run reached its goal all the same."),
        Column("mistake_agent", "text", "Which agent made the mistake."),
        Column("mistake_step", "text", "The place of the step in `history`, from 0."),
        Column("mistake_reason", "text", "Why it is a mistake."),
    ),
)
SESSION_TRACES = Format(
    key="session_traces",
    title="Session traces with annotations (Hugging Face)",
    help="Runs in Hugging Face's trace format, which its pages show as conversations: a header, "
    "then a row a message. What was judged stands under `annotation`, which readers pass over.",
    columns=(
        Column("type", "text", "`session` for a header, `message` for a message."),
        Column("harness", "text", "In headers: where the trace comes from.", may_lack=True),
        Column("id", "text", "In headers: your name of the item.", may_lack=True),
        Column("name", "text", "In headers: the goal in a line.", may_lack=True),
        Column("message", "object", "Role, content, calls of tools.", may_lack=True),
        Column("annotation", "object", "What was judged of the run or step.", may_lack=True),
    ),
)
TAU_BENCH_ERRORS = Format(
    key="tau_bench_errors",
    title="tau-bench error identification",
    help="Whose fault a failed run is, and which kind of fault, in the shape of tau-bench's own "
    "error identification. Runs without a named fault are counted.",
    columns=(
        EXTERNAL_ID,
        Column("trial", "whole number or null", "From the item's metadata."),
        Column("fault_assignment_analysis", "object", "Task, author of the fault, description."),
        Column("fault_type_analysis", "object or null", "The kind of the agent's own fault."),
    ),
)
SWE_BENCH = Format(
    key="swe_bench",
    title="SWE-bench",
    help="SWE-bench's columns with the patch that a specialist wrote. Items that are no instance "
    "of it, and reviews without a patch, are counted.",
    columns=(
        Column("instance_id", "text", "The instance."),
        Column("annotation_id", "text", "The judgement that the patch comes from."),
        Column("repo", "text", "Owner and name of the repository."),
        Column("base_commit", "text", "The commit that the patch applies to."),
        Column("problem_statement", "text", "What was to be solved."),
        Column("hints_text", "text", "Always empty."),
        Column("patch", "text", "The specialist's change."),
        Column("test_patch", "text", "The change to the tests."),
        Column("FAIL_TO_PASS", "text", "A JSON list of tests that it must mend."),
        Column("PASS_TO_PASS", "text", "A JSON list of tests that it must not break."),
        Column("version", "text", "The version of the repository."),
        Column("created_at", "text", "When the problem was reported."),
        Column("environment_setup_commit", "text", "Always empty."),
    ),
    policies=EVERY,
)
