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
    "name": ("Name", "As specialists and exports have it."),
    "title": ("Title", ""),
    "guideline": ("When it applies", "In a sentence or two."),
    "required": ("Must be answered", ""),
    "grade": ("The answer graded as a whole", "Correct, incorrect or not attempted."),
    "quality": ("It may be said that it breaks off, or refuses wrongly", ""),
    "overlap": ("Spans may overlap", "Not at all where you do not say."),
    "negation": ("A span may be marked as negated", ""),
    "attributes": ("Attributes", "What is said of each besides its label."),
    "directed": ("It has a direction", "Yes where you do not say."),
    "kinds": ("Shapes", "One a line: box, polygon, point. Empty allows all three."),
    "colour": ("Colour", "1 to 12; empty takes the next."),
    "certainty": ("How certain each finding is", ""),
    "laterality": ("On which side each finding lies", ""),
    "answers": ("Questions about the image as a whole", "Empty rows are left out."),
    "confirm_empty": ("That nothing is there must be confirmed", "Yes where you do not say."),
    "start_from_prelabels": ("A model’s marks are there to be put right", ""),  # noqa: RUF001
    "gold_point_pixels": ("Distance from gold’s point that still agrees", "In pixels."),  # noqa: RUF001
    "tags": ("Tags of criteria", "One a line. Empty allows any."),
    "criteria_min": ("Criteria, at least", ""),
    "criteria_max": ("Criteria, at most", ""),
    "negative_required": ("At least one criterion must take points away", ""),
    "ideal_completion": ("The ideal answer, written out", ""),
    "outcome": ("Whether the run reached its goal", "Asked where you do not say."),
    "side_effects": ("What it did that nobody asked for", ""),
    "optimality": ("How directly it went", "On four points."),
    "looping": ("Whether it went in circles", ""),
    "steps": ("Steps that must be judged", "Those flagged, where you do not say."),
    "tool_choice": ("The right tool, step by step", ""),
    "arguments": ("The right arguments, step by step", ""),
    "grounded": ("Whether each step rests on what was known", ""),
    "errors": ("Errors, and what recovered from them", ""),
    "inherited": ("Steps that are wrong only through an earlier one", ""),
    "first_error": ("The first error, by its step", ""),
    "responsible_agent": ("The agent that answers for a failure", ""),
    "reason": ("Why the first error is one", ""),
    "fault": ("Whose fault a failure is", "And of which type."),
    "show_oracle": ("The right actions are shown beside", ""),
    "critique": ("A critique of each violation", "Required where you do not say."),
    "revision": ("The answer written anew", "Where something is violated, if you do not say."),
    "kind": ("What is answered", ""),
    "scale": ("Scale", ""),
    "description": ("What it means", ""),
    "relations": ("Relations", "Between two spans. Empty rows are left out."),
    "mode": ("How the dialogue comes about", "Held live with your model, or read from the item."),
    "harm_categories": ("Kinds of harm", "Empty rows are left out."),
    "column": ("Column in exports", "Empty takes the key."),
    "severity": ("How bad it is", ""),
    "techniques": ("Techniques that can be named", ""),
    "task_description": ("What was tried, in words", "If they like, where you do not say."),
    "welfare": ("Care for who does it", ""),
    "warning": ("Warning before the first view", ""),
    "support": ("Where to turn for support", ""),
    "support_url": ("Its address", ""),
    "sha256": ("SHA-256 of the whole document", ""),
    "success_words": ("What 0 to 4 mean", "Five lines: how far the attack got."),
    "curtain": ("What one step shows", "The whole conversation where you do not say."),
}
CHOICES: Mapping[str, str] = {
    "off": "Not asked",
    "optional": "If they like",
    "required": "Required",
    "flag": "Yes or no",
    "json": "JSON",
    "none": "Not at all",
    "any": "In any way",
    "nested": "Only one inside the other",
    "flagged": "Those flagged",
    "from_first_error": "All from the first error on",
    "all": "All",
    "if_violated": "Where a principle is violated",
    "always": "Always",
    "after_submission": "After they handed in",
    "never": "Never",
    "choice": "One of the options",
    "preference": "One of the answers",
    "score": "A score",
    "binary": "Yes or no",
    "text": "Words",
    "number": "A number",
    "live": "Live with your model",
    "transcript": "From the item",
    "messages": "A conversation",
    "whole": "All of it",
    "each": "Each message by itself",
}


def label_of(name: str) -> str:
    """What a part is called."""
    return WORDS[name][0] if name in WORDS else name.replace("_", " ").capitalize()


def hint_of(name: str, described: str) -> str:
    """What stands below a part: our own words, or the schema's."""
    # A key of the keyboard is no name that could follow from the title.
    own = "" if name == "key" and "digit from 1" in described else WORDS.get(name, ("", ""))[1]
    return own or described


def choice_of(value: str) -> str:
    """What one option of a list is called."""
    return CHOICES.get(value, value.replace("_", " ").capitalize())
