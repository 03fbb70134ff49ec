"""A Label Studio project comes in, is judged, and goes home word for word, over the API."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.money import Money
from marketplace.tasktypes import Json
from marketplace.tasktypes.label_studio.config import carried
from tests.journeys.conftest import Program
from tests.make import background, identity, specialists, work

CONFIG = """<View><Text name="note" value="$record"/><Labels name="ent" toName="note">
<Label value="Drug"/><Label value="Dose"/></Labels></View>"""
NOTE = "🩺 5 mg Warfarin for Mr Ian Grey, SSN 123-45-6789"
DRUG: Json = {
    "id": "aB3-x_9Qz1",
    "from_name": "ent",
    "to_name": "note",
    "type": "labels",
    "score": 0.1234567890123,
    "value": {"start": 7, "end": 15, "text": "Warfarin", "labels": ["Drug"]},
}
TASK: Json = {
    "id": 4711,
    "data": {"record": NOTE, "ward": {"bed": 3}},
    "meta": {"import": None},
    "annotations": [
        {"id": 1, "completed_by": {"id": 2}, "result": [], "was_cancelled": True},
        {"id": 2, "ground_truth": True, "result": [DRUG], "lead_time": 7.662},
    ],
    "predictions": [{"id": 9, "model_version": "m", "score": 0.5, "result": [DRUG]}],
    "total_annotations": 1,
}


def test_a_project_comes_and_goes(session: Session, program: Callable[[Actor], Program]) -> None:
    owner = identity.lab_owner(session)
    work.money_in(session, owner, Money(1_000_00, "USD"))
    lab, doctor = program(owner), program(specialists.doctor(session))

    job = posted(lab)
    scanned(lab, job)
    assert "open" == lab.post(f"/jobs/{job}/publish")["state"]
    claim = doctor.post("/claims", 201, json={"job_id": job})
    assert {"text": NOTE, "prelabels": []} == claim["task"]["payload"]
    dose = {"id": "new", "start": 2, "end": 6, "label": "Dose", "text": "5 mg"}
    drug = {"id": DRUG["id"], "start": 7, "end": 15, "label": "Drug", "text": "Warfarin"}
    asked = {"fence": claim["fence"], "judgement": {"spans": [dose, drug]}}
    given = doctor.post(f"/claims/{claim['id']}/submission", 201, json=asked)["submission"]["id"]
    lab.post(f"/submissions/{given}/decision", json={"verdict": "accept"})

    config = lab.get(f"/jobs/{job}/label-studio-config").decode()
    assert CONFIG.split() == config.split()
    (task,) = exported(lab, job)
    (*came, ours) = task["annotations"]
    assert TASK == {**task, "annotations": came}
    new, same = ours["result"]
    assert {**DRUG, "origin": "prediction"} == same
    assert ("new", "ent", "note", "manual", [2, 6]) == (
        new["id"], new["from_name"], new["to_name"], new["origin"],
        [new["value"]["start"], new["value"]["end"]],
    )  # fmt: skip
    assert given == ours["unique_id"]


def posted(lab: Program) -> str:
    """A draft with the project's one task; its id."""
    job: str = lab.post(
        "/jobs",
        201,
        json={
            "title": "Drugs and doses",
            "domain": "pharmacology",
            "task_type": "spans",
            "instructions_md": "Mark every drug and every dose.",
            "template": carried(CONFIG).template,
            "requirements": {"profession": "medicine"},
            "overlap": {"min": 1, "max": 1},
            "pay": {"amount_minor": 30_00, "currency": "USD", "per": "task"},
            "review": {"sample_ratio": 1},
        },
    )["id"]
    file = (io.BytesIO(json.dumps([TASK, {"data": {"record": ""}}]).encode()), "export.json")
    found = lab.post(f"/jobs/{job}/imports", 202, data={"file": file})
    background.run_all()
    found = lab.get(f"/imports/{found['id']}")
    assert ("label_studio", "done", 1, 1) == tuple(
        found[name] for name in ("kind", "state", "accepted", "rejected")
    )
    assert {"cancelled_annotations": 1} == found["left_out"]
    return job


def scanned(lab: Program, job: str) -> None:
    """What the scan found, and what the lab says of it."""
    report = lab.get(f"/jobs/{job}/scan")
    assert (True, 2, None) == (report["complete"], report["found"], report["declaration"])
    assert [("social_security_number", True), ("name", False)] == [
        (each["kind"], each["sure"]) for each in report["findings"]
    ]
    assert "123-45" not in json.dumps(report)
    refused = lab.post(f"/jobs/{job}/publish", 422)
    assert ["/scan"] == [each["pointer"] for each in refused["errors"]]
    lab.post(f"/jobs/{job}/scan/declaration", 422, json={"declaration": "perhaps"})
    said = lab.post(f"/jobs/{job}/scan/declaration", json={"declaration": "none"})
    assert ("none", 2) == (said["declaration"], said["declared_found"])


def exported(lab: Program, job: str) -> list[Json]:
    """The tasks of the export, which a second one gives byte for byte."""
    files = []
    for _ in range(2):
        asked = {"format": "label_studio", "policy": "all"}
        export = lab.post(f"/jobs/{job}/exports", 202, json=asked)
        background.run_all()
        files.append(lab.get(f"/exports/{export['id']}/file"))
    assert files[0] == files[1]
    tasks: list[Json] = files[0] if isinstance(files[0], list) else json.loads(files[0])
    return tasks
