"""What a task type is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from marketplace.errors import Fault
from marketplace.tasktypes import fields, order, pieces, scales, votes
from marketplace.tasktypes.conversation import Brief
from marketplace.tasktypes.exports import Exporter
from marketplace.tasktypes.label_studio.dialect import configuration_faults
from marketplace.tasktypes.raw import raw_exporter
from marketplace.tasktypes.scales import Mark, Scales
from marketplace.tasktypes.shapes import Json, Shape, under
from marketplace.tasktypes.votes import Units

TemplateRule: TypeAlias = Callable[[Json], list[Fault]]
ItemRule: TypeAlias = Callable[[Json, Json], list[Fault]]
JudgementRule: TypeAlias = Callable[[Json, Json, Json], list[Fault]]
GoldRule: TypeAlias = Callable[[Json, Json, Json], float | None]

GOLD = Shape(
    pieces.contract(
        "Gold",
        {"judgement": {"type": "object"}, "explanation": pieces.text(20_000)},
        ("judgement",),
    )
)


def _no_template_faults(_template: Json) -> list[Fault]:
    return []


def _no_item_faults(_template: Json, _payload: Json) -> list[Fault]:
    return []


def _no_judgement_faults(_template: Json, _payload: Json, _judgement: Json) -> list[Fault]:
    return []


def _as_it_is(template: Json) -> Json:
    return template


def _as_given(_template: Json, _payload: Json, judgement: Json) -> Json:
    return judgement


def _no_answer(_template: Json, _payload: Json) -> Json:
    return {}


def _no_slots(_payload: Json) -> list[str]:
    return []


def _no_marks(_template: Json, _judgement: Json) -> list[Mark]:
    return []


def _no_favourite(_judgement: Json) -> str | None:
    return None


@dataclass(frozen=True, kw_only=True)
class TaskType:
    """One kind of task: its input, its judgement, its checks, its exports.

    A module of this package makes one of these. The fields that are functions are the type's
    own rules; they are called only with values that the schemas already accepted. The methods
    are what callers use; none of them raises on anything that a JSON parser or a form can give.
    """

    key: str
    title: str
    template: Shape
    item: Shape
    judgement: Shape
    units: Callable[[Json], Units]
    """What aggregation can vote on: unit → label, `{"choice": "a"}`."""
    scales: Callable[[Json], Scales] | None = None
    """What kind of answer each unit takes, by pattern, given the template; where a type does not
    say, the schema of its judgement does. `scale_of` of this package reads it."""
    marks: Callable[[Json, Json], list[Mark]] = _no_marks
    """What a judgement marks in places of its own choosing, given (template, judgement), for
    statistics that match marks of several people before they vote."""
    formats: Mapping[str, Exporter] = field(default_factory=dict)
    may_opt_out: bool = False
    """Whether the material may harm who reads it: its holder may then stop at any time, without a
    reason, and is paid for what is done."""
    slots: Callable[[Json], list[str]] = _no_slots
    """Names in a payload whose order on the screen may change: `["a", "b"]`."""
    favourite: Callable[[Json], str | None] = _no_favourite
    """The slot that a judgement puts first, None where it favours none."""
    template_rule: TemplateRule = _no_template_faults
    item_rule: ItemRule = _no_item_faults
    judgement_rule: JudgementRule = _no_judgement_faults
    prelabels_shown: Callable[[Json, list[Json]], list[Json]] | None = None
    """What the specialist may see of what models said, given (template, pre-labels); None, as for
    most types, keeps all of it from the task."""
    prelabels_told: Callable[[Json, list[Json]], list[Json]] | None = None
    """What of it the author sees once their judgement is in, given (template, pre-labels)."""
    prelabel_template: Callable[[Json], Json] = _as_it_is
    """The template that pre-labels are checked by, where a model may leave out what people must
    answer."""
    first_answer: Callable[[Json, Json], Json] = _no_answer
    """The judgement that a fresh form starts from, given (template, payload)."""
    complete: Callable[[Json, Json, Json], Json] = _as_given
    """A judgement with what we work out ourselves, given (template, payload, judgement); what the
    specialist sent in those places is written over."""
    conversation: Callable[[Json, Json], Brief | None] | None = None
    """What a task wants of a conversation with a model, given (template, payload); None, or an
    answer of None, where it holds none."""
    gold_rule: GoldRule | None = None
    gold_template: Callable[[Json], Json] = _as_it_is
    """The template that gold is checked by, where gold may leave out what people must answer."""
    read_form: Callable[[fields.Fields, Json, Json], Json] | None = None
    write_form: Callable[[Json], dict[str, str]] = fields.flat

    @property
    def template_schema(self) -> Json:
        return self.template.schema

    @property
    def item_schema(self) -> Json:
        return self.item.schema

    @property
    def judgement_schema(self) -> Json:
        return self.judgement.schema

    def scales_of(self, template: Json) -> Scales:
        """What kind of answer each unit takes under a template, by pattern."""
        return (
            scales.of_schema(self.judgement_schema)
            if self.scales is None
            else self.scales(template)
        )

    @property
    def exports(self) -> Mapping[str, Exporter]:
        """Every format of this type by key, the one to offer first at the top; `raw`, which is
        always there, is the last."""
        return {**self.formats, "raw": raw_exporter(self.units)}

    @property
    def default_export(self) -> Exporter:
        """The format that is offered first."""
        return next(iter(self.exports.values()))

    def check_template(self, template: object) -> list[Fault]:
        """What is wrong with a template, by JSON pointer; empty when it may be published."""
        faults = self.template.faults(template)
        if faults or not isinstance(template, dict):
            return faults
        return configuration_faults(template) + self.template_rule(template)

    def check_item(self, template: Json, payload: object) -> list[Fault]:
        """What is wrong with an item's payload under a legal template."""
        faults = self.item.faults(payload)
        if faults or not isinstance(payload, dict):
            return faults
        return self.item_rule(template, payload)

    def check_judgement(self, template: Json, payload: Json, judgement: object) -> list[Fault]:
        """What is wrong with a finished judgement of a legal item under a legal template."""
        faults = self.judgement.faults(judgement)
        if faults or not isinstance(judgement, dict):
            return faults
        return self.judgement_rule(template, payload, judgement)

    def check_gold(self, template: Json, payload: Json, gold: object) -> list[Fault]:
        """What is wrong with an item's gold, `{"judgement": {…}, "explanation": "…"}`."""
        faults = GOLD.faults(gold)
        if faults or not isinstance(gold, dict):
            return faults
        faults = self.check_judgement(self.gold_template(template), payload, gold["judgement"])
        return under("/judgement", faults)

    def check_prelabel(self, template: Json, payload: Json, said: object) -> list[Fault]:
        """What is wrong with a model's judgement of an item."""
        return self.check_judgement(self.prelabel_template(template), payload, said)

    def with_prelabels(self, template: Json, payload: Json, said: list[Json]) -> Json:
        """The payload as a specialist sees it, pre-labels under `prelabels` where they are shown.

        said: `{model, version, confidence, payload}` each, in the order they were sent.
        """
        if self.prelabels_shown is None:
            return payload
        return {**payload, "prelabels": self.prelabels_shown(template, said)}

    def completed(self, template: Json, seen: Json, judgement: Json) -> Json:
        """A judgement handed in, with what we work out ourselves; as it is while its shape is
        wrong. seen: the payload with every pre-label under `prelabels`, shown or not."""
        if self.judgement.faults(judgement):
            return judgement
        return self.complete(template, seen, judgement)

    def check_rationale(self, template: Json, rationale: str | None) -> list[Fault]:
        """What is wrong with the rationale beside a judgement; pointers lead from the text."""
        wanted = template.get("rationale", "optional")
        given = bool(rationale and rationale.strip())
        if wanted == "required" and not given:
            return [Fault("", "This job asks for a rationale. Say why you judged so.")]
        if wanted == "off" and given:
            return [Fault("", "This job takes no rationale. Leave it empty.")]
        return []

    def presented_order(self, payload: Json, seed: int | str) -> list[str]:
        """The slots in the order in which one seat shows them; the same seed, the same order."""
        return order.permuted(self.slots(payload), seed)

    def favoured_position(self, judgement: Json, presented: list[str]) -> int | None:
        """Where the favourite stood on the screen (0 is first), for measuring position bias."""
        slot = self.favourite(judgement)
        return presented.index(slot) if slot in presented else None

    def from_form(self, form: Mapping[str, Any], template: Json, payload: Json) -> Json:
        """The judgement that a form's flat fields describe; it may still have faults."""
        sent = fields.Fields.of(form)
        if self.read_form is not None:
            return self.read_form(sent, template, payload)
        return fields.judgement_from(sent, self.judgement_schema)

    def to_form(self, judgement: object) -> dict[str, str]:
        """Flat fields that `from_form` reads back as this judgement; drafts of any shape too."""
        return self.write_form(judgement) if isinstance(judgement, dict) else {}

    def gold_agrees(self, judgement: Json, gold: Json, template: Json) -> float | None:
        """How far (0..1) a judgement agrees with the gold judgement; None where nothing can tell.

        `gold` is the object under `judgement` in the item's gold, not the gold itself.
        """
        if self.gold_rule is not None:
            return self.gold_rule(judgement, gold, template)
        return votes.share_matched(self.units(judgement), self.units(gold))
