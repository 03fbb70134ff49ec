"""Files to start a job from: ready jobs and Label Studio configurations, in a shell."""

from __future__ import annotations

from pathlib import Path

import orjson
import yaml
from click.testing import CliRunner

from marketplace.cli.job import job
from marketplace.jobs.rules import fields_of


def test_a_ready_job_is_a_file_that_can_be_posted(tmp_path: Path) -> None:
    listed = CliRunner().invoke(job, ["templates"])
    made = CliRunner().invoke(
        job, ["new", "--template", "discharge-advice", "--items", str(tmp_path / "items.jsonl")]
    )

    assert (0, 0) == (listed.exit_code, made.exit_code)
    assert len(listed.output.splitlines()) >= 9
    kind, fields = fields_of(yaml.safe_load(made.output))
    assert ("pairwise", "medicine") == (kind, fields["profession"])
    lines = (tmp_path / "items.jsonl").read_bytes().splitlines()
    assert ["example-1", "example-2"] == [orjson.loads(line)["external_id"] for line in lines]


def test_an_unknown_key_names_the_others() -> None:
    refused = CliRunner().invoke(job, ["new", "--template", "nothing"])

    assert 1 == refused.exit_code
    assert "discharge-advice" in refused.output


def test_a_configuration_becomes_a_file_and_tells_what_is_left(tmp_path: Path) -> None:
    config = tmp_path / "drugs.xml"
    config.write_text(
        '<View><Text name="t" value="$note"/><Labels name="l" toName="t"><Label value="Drug"/>'
        '</Labels><Rating name="r" toName="t"/></View>'
    )

    made = CliRunner().invoke(job, ["from-label-studio", str(config)])

    assert 0 == made.exit_code
    assert "not carried over: Rating “r”" in made.stderr
    assert "data field note becomes text" in made.stderr
    assert "spans" == fields_of(yaml.safe_load(made.stdout))[0]
