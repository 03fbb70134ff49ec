"""The states of a hybrid pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class PipelineState(StrEnum):
    """Where a pipeline stands: agreed, reading what models said, with specialists, at its end."""

    DRAFT = "draft"
    ROUTING = "routing"
    JUDGING = "judging"
    DONE = "done"


# Items that come later are routed, too, whether or not the former ones are at their end; an answer
# that is rejected after the end makes room for another.
NEXT_PIPELINE: Mapping[PipelineState, frozenset[PipelineState]] = {
    PipelineState.DRAFT: frozenset({PipelineState.ROUTING}),
    PipelineState.ROUTING: frozenset({PipelineState.JUDGING}),
    PipelineState.JUDGING: frozenset({PipelineState.ROUTING, PipelineState.DONE}),
    PipelineState.DONE: frozenset({PipelineState.ROUTING, PipelineState.JUDGING}),
}
STATE_LABELS: Mapping[PipelineState, str] = {
    PipelineState.DRAFT: "Agreed, begins at publishing",
    PipelineState.ROUTING: "Reading what models said",
    PipelineState.JUDGING: "Specialists at work",
    PipelineState.DONE: "Done",
}
