"""Every task type on real input, over the API: posted, done, accepted, exported twice alike."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.money import Money
from marketplace.tasktypes import TASK_TYPES, Json
from tests.journeys.conftest import Program
from tests.journeys.real import REAL_SETS, dialogues
from tests.journeys.real.checks import CHECKS, Exported, holds
from tests.journeys.real.sets import RealRow, RealSet
from tests.make import background, endpoints, identity, specialists, work

ROWS = 4


@pytest.mark.parametrize("kind", sorted(REAL_SETS))
def test_a_type_goes_round(
    kind: str, sample_data: Path, session: Session, program: Callable[[Actor], Program]
) -> None:
    given = REAL_SETS[kind](sample_data)
    owner = identity.lab_owner(session)
    work.money_in(session, owner, Money(5_000_00, "USD"))
    lab, doctor = program(owner), program(specialists.doctor(session))
    rows = given.rows[:ROWS]

    job = posted(lab, given, rows)
    done = worked_off(doctor, job, given)
    for submission in done:
        lab.post(f"/submissions/{submission}/decision", json={"verdict": "accept"})

    said = {each["external_id"]: each["judgement"] for each in exported(lab, job, "raw").lines()}
    assert {each.external_id for each in rows} == set(said)
    assert [] == [row for row in rows if not holds(said[row.external_id], row.answer)]
    files = {form: exported(lab, job, form) for form in TASK_TYPES[kind].exports if form != "raw"}
    CHECKS[kind](rows, files)


def test_a_talk_goes_round(
    sample_data: Path, session: Session, program: Callable[[Actor], Program]
) -> None:
    given = dialogues.chat(sample_data)
    owner = identity.lab_owner(session)
    work.money_in(session, owner, Money(5_000_00, "USD"))
    lab, doctor = program(owner), program(specialists.doctor(session))
    with endpoints.models():
        endpoints.wanted(session, owner, given.template)
        session.flush()
        job = posted(lab, given, given.rows)
        talks = [talked(doctor, job) for _ in given.rows]
    for submission, _ in talks:
        lab.post(f"/submissions/{submission}/decision", json={"verdict": "accept"})

    threads = [messages for _, messages in talks]
    written = exported(lab, job, "trl_messages").lines()
    assert alike(threads) == alike([each["messages"] for each in written])
    # The first turn of each was decided, the second a tie; what came before is the prompt.
    pairs = exported(lab, job, "trl_preference").lines()
    decided = [[*each["prompt"], *each["chosen"]] for each in pairs]
    assert alike([one[:2] for one in threads]) == alike(decided)
    assert len(threads) == len(exported(lab, job, "oasst").lines())


def alike(threads: list[list[Json]]) -> list[str]:
    """Conversations as texts to compare, in any order and with their fields in any order."""
    return sorted(json.dumps(each, sort_keys=True) for each in threads)


def talked(doctor: Program, job: str) -> tuple[str, list[Json]]:
    """A talk of two turns about the scenario: one reply chosen, then a tie; id and messages."""
    claim = doctor.post("/claims", 201, json={"job_id": job})
    fence, base = claim["fence"], f"/claims/{claim['id']}"
    scenario = claim["task"]["payload"]["scenario"]
    for turn, choice in enumerate(("a", "tie"), 1):
        asked = {"fence": fence, "turn": turn}
        said = {**asked, "said": f"{scenario} ({turn}) 🪙"}
        doctor.post(f"{base}/conversation/turns", json=said)
        doctor.post(f"{base}/conversation/choice", json={**asked, "choice": choice})
    handed_in = doctor.post(
        f"{base}/submission", 201, json={"fence": fence, "judgement": {}, "next": False}
    )["submission"]
    return handed_in["id"], handed_in["judgement"]["messages"]


def posted(lab: Program, given: RealSet, rows: tuple[RealRow, ...]) -> str:
    """A running job over the rows; its id."""
    job: str = lab.post(
        "/jobs",
        201,
        json={
            "title": given.title,
            "domain": given.domain,
            "task_type": given.kind,
            "instructions_md": given.instructions,
            "template": given.template,
            "requirements": {"profession": "medicine"},
            "overlap": {"min": 1, "max": 1},
            "pay": {"amount_minor": 30_00, "currency": "USD", "per": "task"},
            "review": {"sample_ratio": 1},
        },
    )["id"]
    body = b"\n".join(row.line() for row in rows)
    sent = lab.post(f"/jobs/{job}/items", data=body, content_type="application/x-ndjson")
    assert (len(rows), []) == (sent["accepted"], sent["rejected"])
    for name in [row.payload["image"] for row in rows if given.images]:
        file = (io.BytesIO(given.images[name].read_bytes()), name)
        taken = lab.post(f"/jobs/{job}/images", data={"file": file})
        assert ["added"] == [each["state"] for each in taken["results"]]
    assert "open" == lab.post(f"/jobs/{job}/publish")["state"]
    return job


def worked_off(doctor: Program, job: str, given: RealSet) -> list[str]:
    """Every task answered as people answered it in the set; ids of the submissions."""
    found = []
    claim = doctor.post("/claims", 201, json={"job_id": job})
    while claim is not None:
        row = given.row_of(claim["task"]["payload"])
        asked = {"fence": claim["fence"], "judgement": row.answer, "next": True}
        handed_in = doctor.post(f"/claims/{claim['id']}/submission", 201, json=asked)
        found.append(handed_in["submission"]["id"])
        claim = handed_in["claim"]
    return found


def exported(lab: Program, job: str, form: str) -> Exported:
    """The file of a format, which a second export must give byte for byte."""
    files = [one_export(lab, job, form) for _ in range(2)]
    assert files[0] == files[1]
    return files[0]


def one_export(lab: Program, job: str, form: str) -> Exported:
    asked = {"format": form, "policy": "all"}
    export: dict[str, Any] = lab.post(f"/jobs/{job}/exports", 202, json=asked)
    background.run_all()
    export = lab.get(f"/exports/{export['id']}")
    assert "done" == export["state"], export["failure"]
    file = lab.get(f"/exports/{export['id']}/file")
    content = file if isinstance(file, bytes) else orjson.dumps(file)
    return Exported(content, export["counts"])


def test_what_the_sets_say_is_legal_in_its_type(sample_data: Path) -> None:
    """All rows, also those that the journey leaves out: payload, pre-labels, answer."""
    faults: list[Json] = []
    for kind, make in REAL_SETS.items():
        given, known = make(sample_data), TASK_TYPES[kind]
        for row in given.rows:
            said = [each["payload"] for each in row.prelabels]
            found = known.check_item(given.template, row.payload)
            found += [
                fault
                for each in said
                for fault in known.check_prelabel(given.template, row.payload, each)
            ]
            seen = known.with_prelabels(given.template, row.payload, list(row.prelabels))
            answer = known.completed(given.template, seen, row.answer)
            found += known.check_judgement(given.template, seen, answer)
            faults += [{"row": row.external_id, "fault": str(each)} for each in found]
            assert row == given.row_of(json.loads(row.line())["payload"])
    assert [] == faults
