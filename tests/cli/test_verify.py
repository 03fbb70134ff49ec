"""`marketplace verify`: what it says and how it ends."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from marketplace.cli.frame import main
from marketplace.verify.keys import jwk, packed
from marketplace.verify.proof import EXPORT
from marketplace.verify.seal import line_digest, link, signed_bytes
from tests.cli.test_frame import python

AT = "2026-11-23T10:00:00+00:00"


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A file of three lines with its proof, and the platform's keys beside."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    path = tmp_path / "rows.jsonl"
    lines = [b'{"n":%d}\n' % number for number in range(3)]
    path.write_bytes(b"".join(lines))
    digests = b"".join(line_digest(line) for line in lines)
    event = {"id": "e", "kind": "job.created", "subject_id": "j", "facts": {}, "announced_at": AT}
    head = link(b"", 1, event)
    stated = {
        "as_of_event": 1,
        "head": head.hex(),
        "files": [
            {
                "name": path.name,
                "unit": "lines",
                "lines": 3,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "lines_sha256": hashlib.sha256(digests).hexdigest(),
            }
        ],
    }
    entries: list[Any] = [
        {"marketplace_proof": 1, "job_id": "j"},
        ["event", 1, "e", "job.created", "j", AT, {}, head.hex()],
        ["file", path.name, "lines"],
        ["digests", packed(digests)],
        {
            "statement": stated,
            "public_key": packed(public),
            "signature": packed(key.sign(signed_bytes(EXPORT, stated))),
        },
    ]
    text = "".join(f"{json.dumps(entry)}\n" for entry in entries)
    (tmp_path / "rows.jsonl.proof.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [jwk(public)]}))
    return path


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["verify", *map(str, words)])


def test_a_true_export_is_valid_and_a_key_makes_it_more(export: Path) -> None:
    plain, keyed = run(export), run(export, "--key", export.with_name("keys.json"))

    assert (0, 0) == (plain.exit_code, keyed.exit_code)
    assert plain.output.startswith("CONSISTENT  3 lines in 1 file fit the proof they have.")
    assert keyed.output.startswith("VALID  3 lines in 1 file.")
    assert "No key was given" in plain.output
    assert "which you gave" in keyed.output
    assert "No key was given" not in keyed.output


def test_what_was_altered_is_named_and_ends_with_one(export: Path) -> None:
    export.write_bytes(export.read_bytes().replace(b'"n":1', b'"n":7'))

    words, told = run(export), run(export, "--json")

    assert (1, 1) == (words.exit_code, told.exit_code)
    assert "NOT VALID  1 thing is not as written." in words.output
    assert "rows.jsonl: Line 2 was altered." in words.output
    assert [("altered", 2)] == [
        (each["kind"], each["line"]) for each in json.loads(told.stdout)["findings"]
    ]


def test_another_key_is_told_and_what_is_no_key_ends_with_two(export: Path) -> None:
    other = packed(Ed25519PrivateKey.generate().public_key().public_bytes_raw())

    strange, none = run(export, "--key", other), run(export, "--key", "hello")

    assert (1, 2) == (strange.exit_code, none.exit_code)
    assert "none of those you gave" in strange.output
    assert "no Ed25519 public key" in none.output


def test_without_a_proof_it_says_where_to_get_one(export: Path) -> None:
    export.with_name("rows.jsonl.proof.jsonl.gz").unlink()

    ended = run(export, "--json")

    assert 2 == ended.exit_code
    assert json.loads(ended.stdout)["ok"] is None
    assert "GET /api/v1/exports/ID/proof" in ended.stderr


def test_it_needs_nothing_of_the_server(export: Path) -> None:
    ended = python(
        "import sys\n"
        "from marketplace.verify import verify\n"
        f"assert verify({str(export)!r}).ok\n"
        "taken = {'flask', 'sqlalchemy', 'orjson', 'httpx', 'pyarrow', 'numpy'}\n"
        "print(sorted(taken & set(sys.modules)))\n"
        "print([m for m in sys.modules if m.startswith('marketplace.')"
        " and not m.startswith('marketplace.verify')])\n"
    )

    assert "[]\n[]\n" == ended.stdout, ended.stderr
