"""The commands over the API, against a served application: results, JSON, exit codes, sentences."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from uuid import UUID

import click
import pytest
from click.testing import CliRunner

from marketplace.actor import Actor
from marketplace.cli import profiles
from marketplace.cli.frame import main
from marketplace.db import transaction
from marketplace.jobs.models import Job
from tests.cli.conftest import Run
from tests.make import jobs, specialists
from tests.make import work as make

JOB = """
title: Which answer is safer?
task_type: pairwise
instructions_md: Prefer the answer that a colleague could act on.
pay: {amount_minor: 450, currency: USD}
"""


def posted(run: Run, folder: Path, *more: str, items: int = 3) -> str:
    """The id of a job that was posted from files."""
    (folder / "job.yaml").write_text(JOB)
    (folder / "items.jsonl").write_bytes(b"\n".join(jobs.lines(items)))
    asked = ["job", "post", str(folder / "job.yaml"), "--items", str(folder / "items.jsonl")]
    found = run(*asked, *more)
    assert 0 == found.exit_code, found.output
    return found.stdout.strip()


def judged(lab: Actor, job_id: str) -> None:
    """One task of the job is done and accepted."""
    with transaction() as session:
        doctor = specialists.doctor(session)
        done = make.submitted(session, doctor, session.get_one(Job, UUID(job_id)))
        make.decided(session, lab, done)


def test_a_job_from_a_file_to_a_file(run: Run, lab: Actor, tmp_path: Path) -> None:
    job_id = posted(run, tmp_path, "--publish")
    judged(lab, job_id)
    _shown(run, job_id)
    _changed(run, job_id, tmp_path / "next.yaml")
    _exported(run, job_id, tmp_path)
    _followed(run, job_id, tmp_path / "cursor")
    _ended(run, job_id)


def _shown(run: Run, job_id: str) -> None:
    shown = json.loads(run("job", "status", job_id, "--json").stdout)
    assert ("open", 2) == (shown["state"], shown["progress"]["seats_open"])
    assert "Which answer is safer?" in run("job", "status", job_id).stdout
    (listed,) = run("job", "list", "--state", "open", "--json").stdout.splitlines()
    assert job_id == json.loads(listed)["id"]
    assert "" == run("job", "list", "--state", "closed", "--quiet").output
    assert "3 tasks, at most" in run("job", "plan", job_id).stdout
    (came,) = run("submissions", job_id, "--json").stdout.splitlines()
    assert {"choice": "a"} == json.loads(came)["judgement"]


def _changed(run: Run, job_id: str, file: Path) -> None:
    file.write_text(JOB.replace("Prefer", "Always prefer"))
    made = run("job", "version", job_id, str(file), "--change", "finish", "--json")
    assert (0, 2) == (made.exit_code, json.loads(made.stdout)["number"]), made.output
    assert "Version 2 stands." in made.stderr


def _exported(run: Run, job_id: str, folder: Path) -> None:
    target = folder / "out" / "raw.jsonl"
    target.parent.mkdir()
    made = run("export", job_id, "--to", str(target), "--proof", "--json")
    assert 0 == made.exit_code, made.output
    told = json.loads(made.stdout)
    assert (1, str(target)) == (told["rows"], told["path"])
    assert told["sha256"] == hashlib.sha256(target.read_bytes()).hexdigest()
    files = sorted(each.name for each in target.parent.iterdir())
    assert ["raw.jsonl", "raw.jsonl.proof.jsonl.gz"] == files
    assert 0 == run("verify", str(target)).exit_code
    target.with_name("cut.jsonl").write_bytes(b"")
    cut = run(
        "verify", str(target.with_name("cut.jsonl")), "--proof", str(target) + ".proof.jsonl.gz"
    )
    assert 1 == cut.exit_code
    again = run("export", "download", told["id"], "--to", "-")
    assert target.read_bytes() == again.stdout_bytes
    assert told["id"] in run("export", "list", job_id).stdout
    formats = run("export", "formats", job_id).stdout.split()
    assert {"raw", "trl_preference", "hf_dataset"} <= set(formats)
    one = json.loads(run("export", "formats", job_id, "trl_preference", "--json").stdout)
    assert {"chosen", "rejected"} <= {each["name"] for each in one["columns"]}
    assert ["majority", "model", "all"] == one["policies"]
    assert 2 == run("export", "formats", job_id, "trl").exit_code


def _followed(run: Run, job_id: str, cursor: Path) -> None:
    first = run("events", "tail", "--after", "0", "--limit", "1", "--cursor", str(cursor), "--json")
    rest = run("events", "list", "--after", cursor.read_text().strip(), "--job", job_id, "--json")

    before = json.loads(first.stdout)["number"]
    numbers = [json.loads(line)["number"] for line in rest.stdout.splitlines()]
    assert numbers == sorted(numbers)
    assert all(number > before for number in numbers)
    assert f"{before}\n" == cursor.read_text()


def _ended(run: Run, job_id: str) -> None:
    assert "paused" in run("job", "pause", job_id).stdout
    assert "open" in run("job", "resume", job_id).stdout
    assert 1 == run("job", "close", job_id, input="n\n").exit_code
    assert "closed" in run("job", "close", job_id, "--yes").stdout
    waited = run("job", "wait", job_id, "--until", "closed", "--json")
    assert "closed" == json.loads(waited.stdout)["state"]


def test_items_faults_and_completion(run: Run, tmp_path: Path) -> None:
    job_id = posted(run, tmp_path)
    _sent(run, job_id, tmp_path)
    _refused(run, job_id, tmp_path)
    _completed(job_id)


def _sent(run: Run, job_id: str, folder: Path) -> None:
    lines = b"\n".join([*jobs.lines(2, first=3), b"not json"])

    sent = run("items", "add", job_id, "-", "--json", input=lines)

    assert 1 == sent.exit_code
    report = json.loads(sent.stdout)
    assert (1, 1, 1) == (report["accepted"], report["duplicates"], report["rows_rejected"])
    assert "line 3" in sent.stderr
    file = folder / "more.jsonl"
    file.write_bytes(b"\n".join(jobs.lines(1, first=9)))
    brought = run("import", job_id, str(file), "--json")
    assert ("done", 1) == (
        json.loads(brought.stdout)["state"],
        json.loads(brought.stdout)["accepted"],
    )


def _refused(run: Run, job_id: str, folder: Path) -> None:
    (folder / "broken.yaml").write_text("title: [")
    (folder / "empty.yaml").write_text("title: No type")
    nothing = "01a1f1de-0000-7000-8000-000000000000"

    for arguments, code, words in (
        (["job", "post", str(folder / "broken.yaml")], 1, "is not YAML"),
        (["job", "post", str(folder / "empty.yaml")], 1, "/task_type: "),
        (["job", "status", nothing], 1, "no such job"),
        (["job", "status", "x"], 1, ""),
        (["job", "wait", job_id, "--timeout", "0.1"], 3, "0.1 seconds: it is draft"),
        (["job", "publish", job_id, "--token", "mkt_wrong"], 1, "does not know the token"),
        (["job", "list", "--url", "http://127.0.0.1:9"], 4, "does not answer"),
        (["job", "list", "--url", "nonsense"], 2, "is no address"),
        (["job", "list", "--profile", "nowhere"], 1, "There is no profile"),
        (["export", job_id, "--since", "last"], 1, "was finished before"),
        (["export", "download", nothing, "--to", "s3://x/y"], 2, "export JOB --to"),
    ):
        found = run(*arguments)
        assert (code, True) == (found.exit_code, words in found.stderr), (arguments, found.output)
        assert "Traceback" not in found.output
        assert "mkt_" not in found.output


def test_who_signs_in_needs_no_token_later(
    run: Run, address: str, token: str, lab: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    del lab
    for name in (profiles.URL, profiles.TOKEN):
        monkeypatch.delenv(name)

    wrong = run("login", "--url", address, "--token-stdin", input="mkt_wrong\n")
    right = run("login", "--url", address, "--token-stdin", input=f"{token}\n")
    who = json.loads(run("whoami", "--json").stdout)
    balance = json.loads(run("balance", "--json").stdout)

    assert (1, 0) == (wrong.exit_code, right.exit_code)
    assert ("Northlight", address) == (who["organisation"]["name"], who["url"])
    assert "USD" in json.dumps(balance)
    assert f"*  default  {address}" in run("profile", "list").stdout
    assert token not in right.output + json.dumps(who)
    assert token in profiles.place().read_text()
    assert 0 == run("logout").exit_code
    assert token not in profiles.place().read_text()
    assert 2 == run("whoami").exit_code


def _completed(job_id: str) -> None:
    def completed(words: str) -> str:
        place = len(words.split(" ")) - 1
        environ = {"_MARKETPLACE_COMPLETE": "zsh_complete", "COMP_WORDS": words}
        environ["COMP_CWORD"] = str(place)
        return CliRunner().invoke(main, [], env=environ, prog_name="marketplace").stdout

    assert ["plain", "webhooks", "Have events sent to a server."] == completed(
        "marketplace webh"
    ).splitlines()
    assert job_id in completed("marketplace job status ")
    assert "Which answer is safer? (draft)" in completed("marketplace export ")


def test_every_command_over_the_api_has_help_that_says_what_it_does() -> None:
    found: list[str] = []

    def look(command: click.Command, path: str) -> None:
        if isinstance(command, click.Group):
            for name, each in command.commands.items():
                look(each, f"{path} {name}")
        elif not (command.help or "").strip() or len(command.get_short_help_str(200)) < 10:
            found.append(path)

    context = click.Context(main)
    for name in ("job", "items", "import", "export", "events", "webhooks", "profile", "balance"):
        command = main.get_command(context, name)
        assert command is not None
        look(command, name)

    assert [] == found
