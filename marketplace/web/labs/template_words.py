"""What the parts of templates are called in the form; what is not here is called by its name."""

from __future__ import annotations

from collections.abc import Mapping

# name of a part (its last step): (label, hint); an empty hint leaves the schema's own.
WORDS: Mapping[str, tuple[str, str]] = {
    "question": ("The question", "What the specialist is asked, in one sentence."),
    "rationale": ("A rationale in words", ""),
    "aspects": ("Aspects", "Each is judged by itself. Empty rows are left out."),
    "allow_tie": ("“Tie” may be chosen", "Yes where you do not say."),
    "allow_both_bad": ("“Both bad” may be chosen", "Yes where you do not say."),
    "allow_ties": ("Equal places are allowed", "Yes where you do not say."),
    "allow_unrankable": ("“Cannot be ranked” may be chosen", "Yes where you do not say."),
    "strength": ("Strength of a preference", "Yes requires one, no takes none."),
    "gold_tolerance": ("Distance from gold that still agrees", "In points; empty is 0."),
    "allow_na": ("“Not applicable” may be chosen", ""),
    "min": ("From", ""),
    "max": ("To", ""),
    "anchors": ("What the scores mean", "One a line: 1: Mostly wrong"),
    "key": ("Key", "Empty takes it from the title."),
    "style_guide_md": ("Style guide", "Markdown, shown above the text to be written."),
    "characters_min": ("Characters, at least", ""),
    "characters_max": ("Characters, at most", ""),
    "self_check": ("What the writer confirms before submitting", "One a line."),
    "sources_required": ("Supported and contradicted claims must quote a source", ""),
    "allow_new_claims": ("Claims may be added to those that the item marks", ""),
    "categories": ("Categories of comments", "With commas, such as correctness, security."),
    "patch": ("A patch", ""),
    "candidates": (
        "Models that answer",
        "Endpoints by name, as they stand under Models. Each gives one reply a turn; the same name "
        "twice asks for two samples.",
    ),
    "endpoint": ("Name of the endpoint", ""),
    "turns_min": ("Turns, at least", "Empty is 1."),
    "turns_max": ("Turns, at most", "Empty is 10."),
    "allow_edit": ("A reply may be changed before it goes on", "Yes where you do not say."),
    "labels": ("Labels", "What spans or regions are called. Empty rows are left out."),
    "cats": ("Labels of the whole text", ""),
    "cats_many": ("Several of them may apply", ""),
    "cats_required": ("One of them is needed", ""),
    "kb_ids": ("The id of a concept may be named", ""),
    "gold_match": ("Agreement with gold", ""),
    "pairs": ("Between", "One a line: PERSON -> PLACE. Empty allows any."),
    "principles": ("Principles", "Each is held against the answer by itself."),
    "constitution": ("Constitution", ""),
    "every_principle": ("Each principle needs a finding", ""),
    "critique_request": ("How a model is asked for a critique", ""),
    "revision_request": ("How a model is asked for a revision", ""),
    "reveal": ("When specialists see what the judge said", ""),
    "fault_tags": ("Faults of a judge that can be tagged", "One a line. Empty takes our list."),
    "options": ("Options", "One a line."),
    "fields": ("Fields to put right", "Each field of what the model said."),
    "show_model": ("Specialists see which model it was", ""),
    "show_confidence": ("They see how sure it was", ""),
    "label_studio": ("Label Studio configuration", ""),
    "text": ("Text", ""),
    "sha256": ("SHA-256 of the whole document", ""),
}
CHOICES: Mapping[str, str] = {
    "off": "Not asked",
    "optional": "If they like",
    "required": "Required",
    "flag": "Yes or no",
    "json": "JSON",
    "none": "Not at all",
    "any": "In any way",
}


def label_of(name: str) -> str:
    """What a part is called."""
    return WORDS[name][0] if name in WORDS else name.replace("_", " ").capitalize()


def hint_of(name: str, described: str) -> str:
    """What stands below a part: our own words, or the schema's."""
    return (WORDS[name][1] if name in WORDS else "") or described


def choice_of(value: str) -> str:
    """What one option of a list is called."""
    return CHOICES.get(value, value.replace("_", " ").capitalize())
