"""Builders of hybrid pipelines."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.jobs.models import Job
from marketplace.quality.models import Pipeline
from marketplace.quality.rules.pipeline_words import PipelineState


def belongings(session: Session, job: Job) -> dict[str, Any]:
    """A pipeline row of a running job, for who asks only whether they may see it; no new ids."""
    now = clock.now()
    session.add(
        Pipeline(
            job_id=job.id, state=PipelineState.DRAFT, confidence_target=Decimal("0.9"),
            audit_ratio=Decimal("0.1"), items_max=1, rounds_max=1, seed=1, round=0,
            kept_share=Decimal("0.3"), items_routed=0, slices=[], judged=0,
            created_at=now, changed_at=now,
        )
    )  # fmt: skip
    session.flush()
    return {}
