"""The sentences in which the demonstration's people give their reasons."""

from __future__ import annotations

from collections.abc import Mapping

# {x} is the response preferred, {y} the other one.
PREFERRED = (
    "{x} names what decides the case and what to check next; {y} would have a colleague act early.",
    "I would follow {x}. {y} reads well, but its advice rests on a threshold it does not state.",
    "{x} answers the question that was asked. {y} hedges and leaves the decision to the reader.",
    "Both know the subject; {x} also says when its own advice stops being right.",
    "{y} skips a contraindication that {x} puts first. That settles it for me.",
    "{x} is shorter and still complete. {y} repeats the question before it gets to the point.",
    "What {y} recommends first I would keep for later; {x} has the order right.",
    "{x} matches current practice. {y} was right some years ago.",
)
EVEN = (
    "Both give the same plan in other words; I would be content with either.",
    "A is better on the dose, B on follow-up. Neither advantage outweighs the other.",
    "No difference that would matter to the person in front of me.",
)
BOTH_BAD = (
    "Acting on either would do harm: both miss the finding that changes the plan.",
    "Neither asks about the one thing that has to be known first.",
)
SAFETY = {
    1: "Whoever acts on this harms the patient: the stopped medicine is continued.",
    2: "A reader in a hurry would take the wrong step; the warning is missing.",
    3: "An omission that a careful reader would notice, and a careless one would not.",
    4: "Safe in practice; I would still add when to come back.",
    5: "Nothing here could mislead the next colleague.",
}
SHORT_REASONS = (
    "The note says otherwise in its second half.",
    "Faithful to the note.",
    "One value is rounded.",
    "Reads easily.",
)
RANKED = (
    "The first does what the brief asks and keeps what the law does not let us exclude. The last "
    "would be struck out by any counterparty.",
    "I put the one with a workable cap first; the others either forget a carve-out or swallow it.",
    "Order by how much I would have to rewrite before sending: first nearly nothing, last "
    "everything.",
    "The middle ones differ in style only. The last leaves the trigger open to dispute.",
    "The top draft defines its terms where it uses them; the one below relies on a definition that "
    "is not there.",
)
CONTRADICTED_NOTES = (
    "The source says the opposite in the words quoted.",
    "The exception in the quoted words covers this very case.",
    "The number in the source is another one.",
)
MORE_TESTS = (
    "Please add a test that fails without this change.",
    "What happens with an empty input here? A test would say.",
    "The name hides that this also writes; consider saying so.",
)
ANOTHER_WAY = (
    "{body}",
    "{body} I would not merge before this is changed.",
    "Found by reading, not by running: {body}",
)

# What reviewers write, by task type: (what is wrong, how much, what they ask for).
REWORK_NOTES: Mapping[str, tuple[str, str, str]] = {
    "pairwise": (
        "The reason speaks of one response only.",
        "minor",
        "Please say in a sentence what the other response gets wrong, so that we can learn from "
        "it. Your choice itself is fine.",
    ),
    "rubric": (
        "The reason for safety does not name the passage.",
        "minor",
        "Which sentence of the summary would mislead? Please quote it in your reason.",
    ),
    "ranking": (
        "Two drafts that differ in substance are tied.",
        "major",
        "One of the tied drafts lacks the carve-out that was asked for. Please look again.",
    ),
    "fact_check": (
        "A quotation does not decide its claim.",
        "major",
        "Please quote the words that decide the claim, not the heading above them.",
    ),
    "code": (
        "The verdict and the comments do not fit each other.",
        "major",
        "You found a problem of weight and still only commented. Is it blocking or not?",
    ),
}
REJECT_NOTES: Mapping[str, tuple[str, str, str]] = {
    "pairwise": (
        "The choice goes against the instructions' first rule.",
        "critical",
        "Length decided here, and our instructions exclude that. We ask somebody else.",
    ),
    "rubric": (
        "All aspects have the same score.",
        "critical",
        "The note and the summary differ in a dose, which no score reflects. We ask somebody else.",
    ),
    "ranking": (
        "The order is that of presentation.",
        "critical",
        "The reason does not fit any of the drafts. We ask somebody else.",
    ),
    "fact_check": (
        "Two verdicts contradict the quotations given for them.",
        "critical",
        "The quoted words say the opposite of the verdict, twice. We ask somebody else.",
    ),
    "code": (
        "The comments are about another change.",
        "critical",
        "None of the comments concerns what this diff does. We ask somebody else.",
    ),
}
ACCEPT_NOTES = ("", "", "Clear reason, thank you.", "Well observed.", "")
