"""The label that stands for an item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from marketplace.quality.rules.ballots import Scheme, said
from marketplace.quality.rules.believing import Estimate
from marketplace.tasktypes import AuthoredJudgement, Json, Record, Scale


@dataclass(frozen=True, slots=True)
class Believed:
    """What is believed of one unit: its label as text, how sure that is, and who spoke of it.

    estimate: of a unit that is a number, beside the legal label nearest to it.
    """

    label: str
    confidence: float
    humans: int
    models: int
    estimate: Estimate | None = None


@dataclass(frozen=True, slots=True)
class Labelling:
    """What is believed of some items by id, and the judgements that third people settled."""

    scheme: Scheme
    believed: Mapping[UUID, Mapping[str, Believed]]
    settled: Mapping[UUID, Json]

    def of(self, record: Record, item_id: UUID) -> Record | None:
        """The record with the one judgement that is believed most; None where nothing is.

        The judgement is one that somebody gave: what a third person settled, else the one that
        says most of what is believed, specialists' before models'.
        """
        believed = self.believed.get(item_id)
        if not believed:
            return None
        settled = self.settled.get(item_id)
        chosen = (
            _settled(item_id, settled) if settled is not None else self._nearest(record, believed)
        )
        by = "adjudication" if settled is not None else None
        if chosen is not None and by is None:
            by = "models" if chosen.author_kind == "model" else "specialists"
        return replace(
            record,
            judgements=() if chosen is None else (chosen,),
            labels={unit: self._told(unit, said) for unit, said in sorted(believed.items())},
            labelled_by=by or "models",
        )

    def _nearest(
        self, record: Record, believed: Mapping[str, Believed]
    ) -> AuthoredJudgement | None:
        candidates = [*record.in_order(), *map(_by_model, record.prelabels)]
        ballots = self.scheme.ballots([each.judgement for each in candidates])
        shares = [self._share(ballot, believed) for ballot in ballots]
        best = max(shares, default=0.0)
        return candidates[shares.index(best)] if candidates else None

    def _share(self, ballot: Mapping[str, str], believed: Mapping[str, Believed]) -> float:
        """How much of what is believed a ballot says, each unit by how sure of it they are."""
        return sum(
            said.confidence * self._nearness(unit, ballot[unit], said)
            for unit, said in believed.items()
            if unit in ballot
        )

    def _nearness(self, unit: str, vote: str, believed: Believed) -> float:
        """1 for the label itself; on a scale that rises less the farther off, 0 at its other end;
        on any other 0."""
        if believed.label in self._names(unit, vote):
            return 1.0
        scale = self.scheme.scale(unit)
        label, given = (number_on(scale, each) for each in (believed.label, vote))
        if label is None or given is None:
            return 0.0
        wanted = label if believed.estimate is None else believed.estimate.value
        reach = width_of(scale)
        apart = abs(given - wanted)
        return max(0.0, 1 - apart / reach) if reach else 1 / (1 + apart)

    def _names(self, unit: str, vote: str) -> tuple[str, str]:
        return vote, self.scheme.shown(unit, [vote])[0]

    def _told(self, unit: str, said: Believed) -> Json:
        told = {
            "label": self.scheme.shown(unit, [said.label])[0],
            "confidence": round(said.confidence, 6),
            "humans": said.humans,
            "models": said.models,
        }
        if said.estimate is None:
            return told
        bounds = (said.estimate.value, said.estimate.lower, said.estimate.upper)
        names = ("estimate", "lower", "upper")
        return told | {name: round(each, 6) for name, each in zip(names, bounds, strict=True)}


def number_on(scale: Scale, vote: str) -> float | None:
    """Where a vote, which is text, lies on a scale that rises; None on any other."""
    for value in scale.values or ():
        if said(value) == vote:
            return scale.number(value)
    if scale.values is not None or scale.level != "interval":
        return None
    try:
        return float(vote)
    except ValueError:
        return None


def width_of(scale: Scale) -> float | None:
    """How far apart the ends of a scale lie; None where it has none."""
    placed = [place for place in map(scale.number, scale.values or ()) if place is not None]
    return max(placed) - min(placed) or None if placed else None


def _settled(item_id: UUID, judgement: Json) -> AuthoredJudgement:
    return AuthoredJudgement(
        annotation_id=f"{item_id}:adjudication", judgement=judgement, author="adjudication"
    )


def _by_model(said: Json) -> AuthoredJudgement:
    author = f"{said['model']}@{said['version']}"
    return AuthoredJudgement(
        annotation_id=author,
        judgement=said["payload"],
        author=author,
        author_kind="model",
        confidence=said["confidence"],
    )
