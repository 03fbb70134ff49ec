"""The demonstration world's own content: five jobs, a qualification, their items, and two lists.

Each job is a YAML file, the body of `POST /api/v1/jobs`, and a JSONL file of the same name, the
body of `POST /jobs/{id}/items`; so both also serve as examples for `marketplace job post`.
The folder `lists` has published lists in their own form. Everybody and everything is invented.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from marketplace.money import Money

KEYS = (
    "clinical_preferences",
    "clinical_summaries",
    "clause_drafts",
    "memo_fact_checks",
    "diff_reviews",
)
QUALIFICATION = "coder_qualification"
CHAT = "patient_chats"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobMaterial:
    """One job of the demonstration world.

    key: the name of its files; body: the request that posts it; lines: its items, one NDJSON line
    each; payloads: what the lines hold, by external id; golds: known judgements, by external id.
    """

    key: str
    body: Mapping[str, Any]
    lines: tuple[bytes, ...]
    payloads: Mapping[str, dict[str, Any]]
    golds: Mapping[str, dict[str, Any]]

    @property
    def task_type(self) -> str:
        return str(self.body["task_type"])

    @property
    def template(self) -> dict[str, Any]:
        return dict(self.body["template"])

    @property
    def pay(self) -> Money:
        """For one task."""
        return Money(self.body["pay"]["amount_minor"], self.body["pay"]["currency"])

    def fields(self) -> dict[str, Any]:
        """The keyword arguments of `jobs.service.create_job`, without `task_type`."""
        plain = ["title", "domain", "instructions_md", "template"]
        plain += ["expected_seconds", "lease_seconds", "ai_policy"]
        overlap = self.body["overlap"]
        return {
            **{name: self.body[name] for name in plain},
            **self.body["requirements"],
            "overlap_min": overlap["min"],
            "overlap_max": overlap["max"],
            "confidence_target": overlap["confidence_target"],
            "pay": self.pay,
            "pay_per": self.body["pay"]["per"],
            "review_sample_ratio": self.body["review"]["sample_ratio"],
        }


@cache
def job_material(key: str) -> JobMaterial:
    """One job, or the qualification, by its key; KeyError where there is none."""
    if key not in {*KEYS, QUALIFICATION, CHAT}:
        raise KeyError(key)
    folder = files(__package__)
    body = yaml.safe_load(folder.joinpath(f"{key}.yaml").read_text("utf-8"))
    lines = tuple(folder.joinpath(f"{key}.jsonl").read_bytes().splitlines())
    items = [json.loads(line) for line in lines]
    return JobMaterial(
        key=key,
        body=body,
        lines=lines,
        payloads={item["external_id"]: item["payload"] for item in items},
        golds={item["external_id"]: item["gold"] for item in items if "gold" in item},
    )


def job_materials() -> tuple[JobMaterial, ...]:
    """All of them, in the order in which the demonstration posts them."""
    return tuple(job_material(key) for key in KEYS)
