"""Imports over the API and from a shell: looked at, mapped, read, sent again grown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.cli.job import job as command
from tests.journeys.conftest import Program
from tests.make import background, identity, uploads
from tests.make.files import RUN, jsonl

ROWS = [{"idx": n, "instruction": f"Q{n}", "response1": "A", "response2": "B"} for n in range(5)]
NAMED = {"idx": "external_id", "instruction": "prompt", "response1": "a", "response2": "b"}


def test_a_table_is_looked_at_mapped_and_read(
    session: Session, program: Callable[[Actor], Program]
) -> None:
    lab = program(identity.lab_owner(session))
    job = lab.post(
        "/jobs",
        201,
        json={
            "title": "Which is better?",
            "task_type": "pairwise",
            "domain": "cardiology",
            "instructions_md": "Choose.",
            "requirements": {"profession": "medicine"},
            "pay": {"amount_minor": 450, "currency": "USD"},
        },
    )
    path = f"/jobs/{job['id']}/imports"

    held = lab.post(path, 202, **uploads.form("rows.json", jsonl(*ROWS), hold="true"))
    look = lab.get(f"/imports/{held['id']}/look")
    assert ("held", "records", NAMED) == (held["state"], look["kind"], look["columns"])
    assert ["0", "1", "2"] == [row["external_id"] for row in look["rows"]]
    background.run_all()
    assert 0 == lab.get(f"/imports/{held['id']}")["rows_read"]
    lab.post(f"/imports/{held['id']}/read", 202, json={"mapping": NAMED})
    background.run_all()
    assert 5 == lab.get(f"/imports/{held['id']}")["accepted"]

    more = [*ROWS, ROWS[0] | {"idx": 9}, ROWS[1] | {"instruction": "Other"}]
    form = uploads.form("rows.json", jsonl(*more), mapping=json.dumps(NAMED))
    grown = lab.post(path, 202, **form)
    background.run_all()
    done = lab.get(f"/imports/{grown['id']}")
    assert (1, 5, 1) == (done["accepted"], done["duplicates"], done["rejected"])
    assert done["read_bytes"] == done["total_bytes"] > 0

    dropped = lab.post(path, 202, **uploads.form("rows.json", jsonl(*ROWS), hold="true"))
    assert "dropped" == lab.send("DELETE", f"/imports/{dropped['id']}", 200)["state"]
    lab.post(f"/imports/{dropped['id']}/read", 409, json={})
    runs = uploads.form("runs.json", json.dumps([RUN]).encode())
    assert "looks like tau-bench" in lab.post(path, 422, **runs)["errors"][0]["message"]
    for wrong in ({"labels": "all"}, {"mapping": "[]"}, {"mapping": "{"}, {"kind": "x"}):
        lab.post(path, 422, **uploads.form("rows.json", jsonl(*ROWS), **wrong))


def test_a_shell_says_what_is_wrong_before_it_calls(tmp_path: Path) -> None:
    asked = ["import", "job", str(tmp_path / "none"), "--token", "t", "--url", "http://127.0.0.1:9"]

    missing = CliRunner().invoke(command, asked)
    mapped = CliRunner().invoke(command, [*asked, "--map", "column"])

    assert "is no file" in missing.output
    assert "column=field" in mapped.output
