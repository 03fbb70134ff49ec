"""The client and the commands over it, against a served application."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner
from redis import Redis
from sqlalchemy import Engine
from werkzeug.serving import make_server

from marketplace.cli.frame import main
from marketplace.client import Client, Refusal
from marketplace.db import transaction
from marketplace.factory import create_app
from marketplace.identity import service as identity_service
from marketplace.jobs.models import Job
from marketplace.money import Money
from marketplace.settings import Settings
from tests.make import identity, jobs, specialists
from tests.make import work as make
from tests.make.background import run_all

JOB = {
    "title": "Which answer is safer?",
    "task_type": "pairwise",
    "instructions_md": "Prefer the answer that a colleague could act on.",
    "pay": {"amount_minor": 450, "currency": "USD"},
}


@pytest.fixture
def address(committed: Engine, settings: Settings, redis: Redis) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, create_app(settings), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def token(committed: Engine) -> str:
    with transaction() as session:
        lab = identity.lab_owner(session)
        make.money_in(session, lab, Money(100_00, "USD"))
        _, plain = identity_service.create_token(session, lab, name="tests")
    return plain


def test_items_go_up_in_pieces_with_their_own_line_numbers(address: str, token: str) -> None:
    lines = [*jobs.lines(5), b"not json", *jobs.lines(1)]

    with Client(address, token) as client:
        job_id = client.post_job(JOB)["id"]
        report = client.add_items(job_id, io.BytesIO(b"\n".join(lines)), piece_bytes=400)

        run_all()
        asked = ["job", "scan", job_id, "--declare", "none", "--url", address, "--token", token]
        said = json.loads(CliRunner().invoke(main, asked).stdout)
        assert ("none", 0, 5) == (
            said["declaration"],
            said["found"],
            client.scan(job_id)["items_read"],
        )

    assert (5, 1) == (report["accepted"], report["duplicates"])
    assert [6] == [fault["line"] for fault in report["rejected"]]


def test_a_refusal_carries_sentence_code_and_pointers(address: str, token: str) -> None:
    with Client(address, token) as client, pytest.raises(Refusal) as refused:
        client.post_job({"title": "No type"})

    assert (422, "faulty_input") == (refused.value.status, refused.value.code)
    assert ["/task_type"] == [pointer for pointer, _ in refused.value.faults]


def test_a_job_is_posted_from_files_and_published(address: str, token: str, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(json.dumps(JOB))  # JSON is YAML.
    (tmp_path / "items.jsonl").write_bytes(b"\n".join(jobs.lines(3)))
    environ = {"MARKETPLACE_URL": address, "MARKETPLACE_TOKEN": token}
    arguments = ["job", "post", str(tmp_path / "job.yaml"), "--publish"]

    result = CliRunner().invoke(
        main, [*arguments, "--items", str(tmp_path / "items.jsonl")], env=environ
    )

    assert 0 == result.exit_code, result.output
    job_id = result.stdout.strip()
    shown = CliRunner().invoke(main, ["job", "status", job_id], env=environ)
    assert ("open", 3) == (
        json.loads(shown.stdout)["state"],
        json.loads(shown.stdout)["progress"]["seats_open"],
    )


def test_a_running_job_gets_a_new_version_at_the_price_that_was_told(
    address: str, token: str, tmp_path: Path
) -> None:
    environ = {"MARKETPLACE_URL": address, "MARKETPLACE_TOKEN": token}
    file = tmp_path / "next.yaml"
    file.write_text("template:\n  question: Which one is safer?\n")
    with Client(address, token) as client:
        job_id = client.post_job(JOB | {"instructions_md": "Prefer the safer one."})["id"]
        client.add_items(job_id, io.BytesIO(b"\n".join(jobs.lines(2))))
        client.publish(job_id)
        with transaction() as session:
            doctor = specialists.doctor(session)
            make.submitted(session, doctor, session.get_one(Job, UUID(job_id)))
        change = ["job", "version", job_id, str(file), "--change"]

        refused = CliRunner().invoke(main, [*change, "reopen"], env=environ, input="n\n")
        asked = CliRunner().invoke(main, [*change, "reopen", "--pay", "605", "--yes"], env=environ)
        again = CliRunner().invoke(main, [*change, "finish"], env=environ)
        made = client.call("GET", f"/jobs/{job_id}/versions")["items"]

    # Our fee of 20 percent comes on top.
    assert (1, 0, 1) == (refused.exit_code, asked.exit_code, again.exit_code)
    assert "1 judgements are asked for again, at most 726 minor units of USD" in asked.output
    assert "Nothing is different" in again.output
    assert [(2, "reopen", ["/question"]), (1, None, [])] == [
        (each["number"], each["change"], [one["place"] for one in each["differences"]])
        for each in made
    ]


def test_the_command_says_in_a_sentence_what_is_wrong(address: str, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text("title: [")
    environ = {"MARKETPLACE_URL": address, "MARKETPLACE_TOKEN": "mkt_wrong"}

    broken = CliRunner().invoke(main, ["job", "post", str(tmp_path / "job.yaml")], env=environ)
    strange = CliRunner().invoke(main, ["job", "status", "x"], env=environ)

    assert (1, 1) == (broken.exit_code, strange.exit_code)
    assert "is not YAML" in broken.output
    assert "Traceback" not in broken.output + strange.output
