"""Red-team dialogues as rows: hh-rlhf's red-team file, DICES with one row a rater, TRL.

Sources: the README of hh-rlhf for the columns of its red-team attempts; the columns of DICES-350.
What those files know of their people and we never tell (gender, age, origin) has no column here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from marketplace.tasktypes.exports import Counts, ExportRow, Policy, catalogue
from marketplace.tasktypes.formats import talks
from marketplace.tasktypes.formats.preferences import TRL_UNPAIRED
from marketplace.tasktypes.label_studio.going_out import RED_TEAM as LABEL_STUDIO
from marketplace.tasktypes.label_studio.writing import exporter as label_studio
from marketplace.tasktypes.records import AuthoredJudgement, Record
from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.votes import majority

SPEAKERS = {"user": "Human", "assistant": "Assistant"}
DEGREES = {
    "none": "Benign",
    "low": "Debatable",
    "medium": "Moderate",
    "high": "Extreme",
    "critical": "Extreme",
}


def messages_of(record: Record, given: AuthoredJudgement) -> list[Json]:
    """The whole conversation that a judgement is about: what the item brought, then the turns."""
    brought = [
        {"role": each["role"], "content": each["content"]}
        for each in record.payload.get("messages", [])
    ]
    return [*brought, *given.judgement.get("messages", [])]


def titles(record: Record, given: AuthoredJudgement) -> list[str]:
    """The kinds of harm in the lab's words, in the order of its list."""
    named = set(given.judgement.get("harm_categories", []))
    return [each["title"] for each in record.template["harm_categories"] if each["key"] in named]


def every(
    records: Iterable[Record], counts: Counts
) -> Iterator[tuple[Record, AuthoredJudgement, list[Json]]]:
    """Each judgement with its conversation; the caller keeps it."""
    for record in records:
        if not record.judgements:
            counts.drop("no_judgement")
        for given in record.in_order():
            yield record, given, messages_of(record, given)


def hh_red_team(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """One row a judgement, with the columns of hh-rlhf's red-team attempts.

    The two scores there are a preference model's, which nobody asked here; they are null.
    """
    for record, given, messages in every(records, counts):
        counts.keep()
        about = record.payload.get("model", {})
        yield {
            "external_id": record.external_id,
            "annotation_id": given.annotation_id,
            "transcript": transcript(messages),
            "min_harmlessness_score_transcript": None,
            "num_params": about.get("num_params"),
            "model_type": about.get("model_type") or answered_by(given.judgement),
            "rating": float(given.judgement["attack_success"]),
            "task_description": given.judgement.get("task_description")
            or record.payload["target_behaviour"],
            "task_description_harmlessness_score": None,
            "red_team_member_id": given.author,
            "is_upworker": False,
            "tags": titles(record, given),
            "severity": given.judgement.get("severity"),
            "techniques": list(given.judgement.get("techniques", [])),
        }


def transcript(messages: list[Json]) -> str:
    """The dialogue as one text; what a system was told opens it as it is."""
    return "".join(
        f"\n\n{SPEAKERS.get(each['role'], each['role'].capitalize())}: {each['content']}"
        for each in messages
    )


def answered_by(judgement: Json) -> str | None:
    """The model that answered, where a conversation was held."""
    for turn in judgement.get("turns", []):
        for reply in turn["attempts"][-1]["replies"]:
            if reply.get("model"):
                return str(reply["model"])
    return None


def dices(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """One row a rater and conversation: a column of Yes or No for each kind of harm, Q_overall."""
    for record, given, messages in every(records, counts):
        if not messages:
            counts.drop("no_conversation")
            continue
        counts.keep()
        judgement = given.judgement
        named = set(judgement.get("harm_categories", []))
        answers = {
            each.get("column") or f"Q_{each['key']}": said(each["key"] in named)
            for each in record.template["harm_categories"]
        }
        last = len(messages) - 1 if messages[-1]["role"] == "assistant" else len(messages)
        yield {
            "item_id": record.external_id,
            "annotation_id": given.annotation_id,
            "rater_id": given.author,
            "rater_profession": given.attested.get("profession"),
            "context": "\n".join(spoken(each) for each in messages[:last]),
            "response": "".join(each["content"] for each in messages[last:]),
            "degree_of_harm": DEGREES.get(judgement.get("severity", "")),
            "harm_type": ", ".join(titles(record, given)),
            "answer_time_ms": None if given.active_seconds is None else given.active_seconds * 1000,
            **answers,
            "Q_overall": said(judgement["attack_success"] > 0 or bool(named)),
        }


def said(answer: bool) -> str:
    return "Yes" if answer else "No"


def spoken(message: Json) -> str:
    return f"{'USER' if message['role'] == 'user' else message['role'].upper()}: " + str(
        message["content"]
    )


def trl_unpaired(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """TRL's unpaired preference: the last answer, and whether it withstood (success 0).

    Under `majority` one row an item that brought its conversation, by whether most saw it
    withstand; nobody else held a live one, so those are taken one by one.
    """
    for record in records:
        given = record.in_order()
        if not given:
            counts.drop("no_judgement")
        ballots = [(one, one.judgement["attack_success"] == 0) for one in given]
        if policy is Policy.MAJORITY and given and not given[0].judgement.get("messages"):
            settled = majority(withstood for _, withstood in ballots)
            ballots = [] if settled is None else [(given[0], settled)]
            if settled is None:
                counts.drop("no_majority")
        for one, withstood in ballots:
            messages = messages_of(record, one)
            if not messages or messages[-1]["role"] != "assistant":
                counts.drop("no_answer")
                continue
            counts.keep()
            yield {
                "external_id": record.external_id,
                "prompt": messages[:-1],
                "completion": messages[-1:],
                "label": withstood,
            }


EXPORTS = catalogue(
    talks.HH_RED_TEAM.by(hh_red_team),
    talks.DICES.by(dices),
    TRL_UNPAIRED.by(
        trl_unpaired,
        says="The response is the last answer of the dialogue; it is good where it withstood.",
    ),
    label_studio(LABEL_STUDIO),
)
