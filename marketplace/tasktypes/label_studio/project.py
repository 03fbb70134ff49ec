"""The labelling configuration of a project that can show what the export `label_studio` says."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from marketplace.errors import Missing
from marketplace.tasktypes.label_studio.controls import Config, Control
from marketplace.tasktypes.label_studio.dialect import Dialect
from marketplace.tasktypes.label_studio.going_out import GOING_OUT
from marketplace.tasktypes.label_studio.reading import DIALECTS
from marketplace.tasktypes.shapes import Json

# The tag of one option of a control.
OPTION = {"Choices": "Choice", "Labels": "Label", "RectangleLabels": "Label"}
OPTION |= {"PolygonLabels": "Label", "KeyPointLabels": "Label", "Taxonomy": "Choice"}
RATIONALE = "rationale"
# Why there is nothing to export to Label Studio for the other types.
NOT_TOLD = {
    "code": "Label Studio has no tag for a diff, so a comment on a line has no place there. "
    "GitHub review holds all of it.",
    "trajectory": "Label Studio shows runs of agents only in its paid editions, by another format; "
    "the steps and verdicts have no tag in the open one. Session traces and TRL hold them.",
    "rubric_writing": "A rubric is a list that grows, of a criterion with points and tags; the "
    "forms of Label Studio have a fixed number of questions. HealthBench holds it.",
    "critique_revise": "Each critique belongs to a principle and leads to a revision; Label Studio "
    "has no tag that ties texts so. NeMo CAI and TRL hold them.",
}


def configuration_of(task_type: str, template: Json) -> str:
    """The configuration for a job of this type; Missing for types that have no such export."""
    dialect = {**DIALECTS, **GOING_OUT}.get(task_type)
    if dialect is None:
        raise Missing(NOT_TOLD.get(task_type, "Label Studio has no tags for what this type asks."))
    return configuration(dialect, template)


def configuration(dialect: Dialect, template: Json) -> str:
    """The lab's own configuration, else one with every control that the export may name."""
    own = template.get("label_studio")
    if isinstance(own, str) and own.strip():
        return own
    config = dialect.default(template)
    root = Element("View")
    question = str(template.get("question", "")).strip()
    if question:
        SubElement(root, "Header", value=question)
    _show(root, config)
    for control in config.controls:
        # Label Studio refuses a whole project for a control that has nothing to choose from.
        if control.options or control.tag not in OPTION:
            _ask(root, control, config)
    for each in template.get("relations", []):
        relations = root.find("Relations")
        relations = SubElement(root, "Relations") if relations is None else relations
        SubElement(relations, "Relation", value=str(each["name"]))
    _ask(root, Control(RATIONALE, "TextArea", config.first), config)
    indent(root)
    return tostring(root, encoding="unicode") + "\n"


def _show(root: Element, config: Config) -> None:
    for name, shown in config.shown.items():
        tag = SubElement(root, shown.tag, name=name, value=f"${shown.datum}")
        if shown.tag == "Paragraphs":
            tag.attrib |= {"layout": "dialogue", "nameKey": shown.author, "textKey": shown.words}


def _ask(root: Element, control: Control, config: Config) -> None:
    to = control.to[:1] if control.tag != "Pairwise" else control.to
    if control.tag == "Chat":
        # A chat is shown and written in by one tag; it goes on from what the task shows.
        shown = config.about(control)
        datum = shown.datum if shown else control.name
        SubElement(root, "Chat", name=control.name, value=f"${datum}")
        return
    tag = SubElement(root, control.tag, name=control.name, toName=",".join(to))
    if control.per_region:
        tag.set("perRegion", "true")
    if control.many:
        tag.set("choice", "multiple")
    for at, option in enumerate(control.options if control.tag in OPTION else ()):
        offered = SubElement(tag, OPTION[control.tag], value=option)
        if control.tag == "KeyPointLabels":
            # Its own COCO export refuses points without an order.
            offered.set("model_index", str(at))
