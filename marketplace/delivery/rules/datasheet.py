"""A datasheet for an export, by the questions of Gebru et al., Datasheets for Datasets (2021).

Seven sections; what the platform knows is answered with numbers, what only the lab can know with
its own words, and where it said nothing the sheet says that.
"""

from __future__ import annotations

from collections.abc import Sequence

from marketplace.delivery.rules import words
from marketplace.delivery.rules.card import Table
from marketplace.delivery.rules.facts import Facts
from marketplace.delivery.rules.licences import licence_words
from marketplace.delivery.rules.reasons import reason_words

UNSAID = "The lab has not said."


def datasheet(facts: Facts, tables: Sequence[Table]) -> str:
    """The whole sheet as Markdown; the same facts give the same text."""
    sections = (
        ("Motivation", _motivation(facts)),
        ("Composition", _composition(facts, tables)),
        ("Collection process", _collection(facts)),
        ("Preprocessing, cleaning and labelling", _labelling(facts, tables)),
        ("Uses", _uses(facts)),
        ("Distribution", _distribution(facts)),
        ("Maintenance", _maintenance(facts)),
    )
    told = [f"## {title}\n\n" + "\n\n".join(_answer(*each) for each in asked)
            for title, asked in sections]  # fmt: skip
    return f"# Datasheet: {facts.name}\n\n" + "\n\n".join(told) + "\n"


Asked = list[tuple[str, str]]


def _answer(question: str, answer: str) -> str:
    return f"**{question}** {answer}"


def _motivation(facts: Facts) -> Asked:
    return [
        ("For what purpose was it made?", facts.words.intended_use or UNSAID),
        (
            "Who made it, and for whom?",
            f"Specialists of the marketplace judged it for the lab that posted job "
            f"{facts.reference}, “{facts.title}”.",
        ),
        (
            "Who paid for it?",
            "The lab; what specialists were paid is told under Collection process.",
        ),
    ]


def _composition(facts: Facts, tables: Sequence[Table]) -> Asked:
    rows = [f"{words.counted(each.rows, 'row')} in {each.path}" for each in tables]
    return [
        (
            "What do the instances represent?",
            f"Items of the type “{facts.type_title}” ({facts.domain}) and what specialists said of "
            "them.",
        ),
        (
            "How many are there?",
            f"{words.counted(facts.told_items, 'item')} with "
            f"{words.counted(facts.judgements, 'judgement')}: {words.many(rows)}.",
        ),
        (
            "Is it all there could be, or a sample?",
            f"The job holds {words.counted(facts.items, 'item')}; "
            f"{words.number(facts.items - facts.told_items)} had no accepted judgement by "
            f"{words.moment(facts.as_of)}.",
        ),
        (
            "Is there a label or target?",
            f"Yes, told {words.POLICIES[facts.policy]}. Every judgement also stands for itself in "
            "annotations_raw.jsonl, with its author's pseudonym.",
        ),
        (
            "Are there errors, noise or redundancies?",
            f"People disagree, and the disagreement is kept: {_agreement(facts)} "
            f"{words.counted(facts.gold_items, 'item')} with a known answer were mixed in.",
        ),
        ("Are splits recommended?", "None; there is one split, named train."),
        ("Is there confidential or personal content?", words.personal(facts)),
    ]


def _agreement(facts: Facts) -> str:
    told = [
        f"{each.unit} {each.measures['alpha'][0]:.3f}"
        for each in facts.agreement
        if "alpha" in each.measures
    ]
    return f"Krippendorff's alpha is {words.many(told)}." if told else "no agreement is known yet."


def _collection(facts: Facts) -> Asked:
    pay = [
        f"{words.hourly(each, facts.currency)} an hour for {each.name.replace('_', ' ')}"
        for each in facts.classes
        if each.hourly_minor is not None
    ]
    return [
        (
            "How was it collected?",
            "Each specialist saw an item alone in a workbench, under the guidelines of the time, "
            "in an order of answers drawn for them, and said what they judged; times are those of "
            "focused work.",
        ),
        ("Who was involved?", f"{words.annotators(facts)} Asked for: {words.requirements(facts)}."),
        (
            "How were they paid?",
            f"The median of what an hour of work brought was {words.many(pay)}."
            if pay
            else "Too few people did the work for a figure that tells nobody apart.",
        ),
        ("Over what time?", f"The judgements were made {words.timeframe(facts)}."),
        (
            "Did they consent?",
            "Specialists chose the job themselves, saw its pay beforehand, and could leave any of "
            "its tasks. The platform gives their judgements to the lab under a pseudonym of that "
            "lab alone, with what was attested of their profession. It asks for no further consent "
            "task by task; a use beyond the job's purpose is for the lab to clear.",
        ),
        ("Were machines involved?", f"{words.ai_tools(facts)} {_models(facts)}"),
    ]


def _models(facts: Facts) -> str:
    told = words.models(facts)
    return f"Items carried answers of {words.many(told)}." if told else "No item carried a model's."


def _labelling(facts: Facts, tables: Sequence[Table]) -> Asked:
    dropped = [
        f"{words.number(number)}: {reason_words(reason)}"
        for each in tables[:1]
        for reason, number in sorted(each.counts.get("dropped", {}).items())
    ]
    return [
        ("How were several judgements joined?", f"{words.POLICIES[facts.policy].capitalize()}."),
        ("How were judgements checked?", words.reviewing(facts)),
        ("How many judgements does an item have?", f"{words.per_item(facts)}."),
        (
            "What was left out?",
            f"Of what was read, {'; '.join(dropped)}." if dropped else "Nothing that was read.",
        ),
        (
            "Is what was given still there?",
            "Yes: the items' own content and every judgement, as they were sent, are in "
            "annotations_raw.jsonl.",
        ),
    ]


def _uses(facts: Facts) -> Asked:
    return [
        ("What is it meant for?", facts.words.intended_use or UNSAID),
        ("What should it not be used for?", facts.words.limits or UNSAID),
        (
            "What in its making might matter for uses to come?",
            f"It tells what {words.people(facts.annotators)} specialists made of the guidelines of "
            f"the time ({words.counted(len(facts.guidelines), 'version')}), who were chosen by: "
            f"{words.requirements(facts)}.",
        ),
    ]


def _distribution(facts: Facts) -> Asked:
    return [
        ("How is it given on?", "As this folder, by the lab, from its own export."),
        ("Under what licence?", f"{licence_words(facts.licence, facts.words.licence_words)}."),
    ]


def _maintenance(facts: Facts) -> Asked:
    return [
        ("Who looks after it, and how are they reached?", facts.words.contact or UNSAID),
        (
            "Will it change?",
            "This export never does: asked for again it is the same bytes, and MANIFEST.sha256 and "
            "the proof beside it show whether a copy is unaltered. What is accepted later comes "
            "in later exports.",
        ),
        (
            "Can people withdraw?",
            "A specialist who leaves is erased from the marketplace; the pseudonym here then leads "
            "to nobody.",
        ),
    ]
