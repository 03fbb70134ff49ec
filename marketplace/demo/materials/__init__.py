"""The demonstration world's own content: its jobs, a qualification, their items, and two lists.

Each job is a YAML file, the body of `POST /api/v1/jobs`, and a JSONL file of the same name, the
body of `POST /jobs/{id}/items`; so both also serve as examples for `marketplace job post`.
A YAML file may say `ready`, a job of the gallery, and only what differs from it. A line of JSONL
may hold `answers`, which people of the demonstration give and which are never sent as items.
The folder `lists` has published lists in their own form. Everybody and everything is invented.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from marketplace.jobs.rules.gallery import ready_job
from marketplace.money import Money

KEYS = (
    "clinical_preferences",
    "clinical_summaries",
    "clause_drafts",
    "memo_fact_checks",
    "diff_reviews",
)
# One small job for each type that the five above and the chat do not show.
SHOWN = (
    "practice_films",
    "red_team_dialogues",
    "triage_calibration",
    "reply_calibration",
    "health_rubrics",
    "legal_critiques",
    "contract_spans",
    "agent_runs",
    "bug_explanations",
    "issue_triage",
)
QUALIFICATION = "coder_qualification"
CHAT = "patient_chats"
# What models judge first, and specialists where it matters.
HYBRID = "leaflet_lines"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobMaterial:
    """One job of the demonstration world.

    key: the name of its files; body: the request that posts it; lines: its items, one NDJSON line
    each; payloads: what the lines hold, by external id; golds: known judgements, by external id;
    answers: what people here answer, by external id, each a judgement and maybe a rationale.
    """

    key: str
    body: Mapping[str, Any]
    lines: tuple[bytes, ...]
    payloads: Mapping[str, dict[str, Any]]
    golds: Mapping[str, dict[str, Any]]
    answers: Mapping[str, list[dict[str, Any]]]

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
            "confidence_target": overlap.get("confidence_target"),
            "pay": self.pay,
            "pay_per": self.body["pay"]["per"],
            "review_sample_ratio": self.body["review"]["sample_ratio"],
        }


@cache
def job_material(key: str) -> JobMaterial:
    """One job, or the qualification, by its key; KeyError where there is none."""
    if key not in {*KEYS, *SHOWN, QUALIFICATION, CHAT, HYBRID}:
        raise KeyError(key)
    folder = files(__package__)
    items = [json.loads(line) for line in _read(folder, f"{key}.jsonl").splitlines()]
    answers = {item["external_id"]: item.pop("answers", []) for item in items}
    return JobMaterial(
        key=key,
        body=_body(folder, key),
        lines=tuple(json.dumps(item, ensure_ascii=False).encode() for item in items),
        payloads={item["external_id"]: item["payload"] for item in items},
        golds={item["external_id"]: item["gold"] for item in items if "gold" in item},
        answers=answers,
    )


def _read(folder: Traversable, name: str) -> bytes:
    return folder.joinpath(name).read_bytes()


def _body(folder: Traversable, key: str) -> dict[str, Any]:
    """A job's document; where it names a ready job, that one with what differs from it."""
    said: dict[str, Any] = yaml.safe_load(_read(folder, f"{key}.yaml"))
    name = said.pop("ready", None)
    return said if name is None else _over(ready_job(name).document, said)


def _over(whole: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """An object with changes, member by member; lists and plain values are replaced."""
    found = dict(whole)
    for name, value in changes.items():
        former = found.get(name)
        inner = isinstance(value, dict) and isinstance(former, dict)
        found[name] = _over(former or {}, value) if inner else value
    return found


def job_materials() -> tuple[JobMaterial, ...]:
    """The five that the demonstration works on for weeks."""
    return tuple(job_material(key) for key in KEYS)


def shown_materials() -> tuple[JobMaterial, ...]:
    """The small ones that show the other types."""
    return tuple(job_material(key) for key in SHOWN)
