"""Forms of pipelines and judges, filled as nobody means them: a reason each time."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from tests.make import endpoints, jobs
from tests.web.conftest import Browser

POLICY: dict[str, object] = {
    "target_percent": "93",
    "audit_percent": "3",
    "items_max": "5",
    "rounds_max": "3",
}
JUDGE: dict[str, object] = {
    "name": "strange", "endpoint": "house-model", "prompt": "{conversation}{responses}{dimensions}",
    "answer_format": "json_schema", "tokens_max": "100",
    "aspects": '[{"key": "better", "title": "Better", "kind": "preference"}]',
}  # fmt: skip


def test_numbers_that_no_job_has_are_no_policy(
    session: Session, lab: Actor, owner: Browser
) -> None:
    job = jobs.filled(session, lab, items=2)
    page = f"/lab/jobs/{job.id}/pipeline"

    assert 422 == owner.post(page, POLICY | {"items_max": str(2**63)}).status_code
    assert 303 == owner.post(page, POLICY | {"items_max": "2"}).status_code


@pytest.mark.parametrize(
    "given",
    [
        {"aspects": "[" * 50_000},
        {"aspects": "9" * 5_000},
        {"aspects": '{"key": '},
        {"model": "m" * 1_000},
        {"model": "m\0"},
        {"prompt": "{conversation.__class__}"},
        {"seed": "9" * 60},
    ],
)
def test_what_no_judge_is_made_of_is_told(
    session: Session, lab: Actor, owner: Browser, given: dict[str, object]
) -> None:
    endpoints.endpoint(session, lab, "house-model")

    answer = owner.post("/lab/judges/new", JUDGE | given)

    assert 422 == answer.status_code
