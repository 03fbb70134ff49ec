"""Checking exports that somebody forged, or made to break whoever checks them."""

from __future__ import annotations

import copy
import gzip
import hashlib
import json
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from marketplace.verify import CannotCheck, Kind, Report, files, lines, verify
from marketplace.verify import proof as proofs
from marketplace.verify.keys import key_id, packed
from marketplace.verify.proof import EXPORT, HEAD, head_statement
from marketplace.verify.seal import line_digest, link, signed_bytes

AT = "2026-11-23T10:00:00+00:00"
ROWS = [b'{"n":%d}\n' % number for number in range(3)]
FORGED = [ROWS[0], b'{"n":7}\n', ROWS[2]]


def digests(rows: list[bytes]) -> bytes:
    return b"".join(line_digest(row) for row in rows)


@dataclass
class Made:
    """A true export, and its proof as entries that a test may alter before it is written."""

    folder: Path
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    entries: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        event = {"id": "e", "kind": "job.created", "subject_id": "j"}
        head = link(b"", 1, event | {"facts": {}, "announced_at": AT})
        day = signed_bytes(HEAD, head_statement("job:j", "2026-11-23", 1, head))
        self.entries = [
            {"marketplace_proof": 1, "export_id": "x", "job_id": "j", "as_of_event": 1},
            ["event", 1, "e", "job.created", "j", AT, {}, head.hex()],
            ["head", "2026-11-23", 1, head.hex(), key_id(self.public), packed(self.key.sign(day))],
            ["file", "rows.jsonl", "lines"],
            ["digests", packed(digests(ROWS))],
        ]
        content = b"".join(ROWS)
        stated = {
            "export_id": "x",
            "job_id": "j",
            "as_of_event": 1,
            "head": head.hex(),
            "files": [
                {
                    "name": "rows.jsonl",
                    "unit": "lines",
                    "lines": 3,
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "lines_sha256": hashlib.sha256(digests(ROWS)).hexdigest(),
                }
            ],
        }
        self.entries.append({"statement": stated, **self.signed(stated)})
        (self.folder / "rows.jsonl").write_bytes(content)

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    def signed(self, stated: dict[str, Any]) -> dict[str, str]:
        made = self.key.sign(signed_bytes(EXPORT, stated))
        return {"public_key": packed(self.public), "signature": packed(made)}

    def check(self, rows: list[bytes] | None = None) -> Report:
        path = self.folder / "rows.jsonl"
        if rows is not None:
            path.write_bytes(b"".join(rows))
        text = b"".join(json.dumps(each).encode() + b"\n" for each in self.entries)
        return self.check_proof(text)

    def check_proof(self, text: bytes) -> Report:
        return self.check_packed(gzip.compress(text))

    def check_packed(self, text: bytes) -> Report:
        path = self.folder / "rows.jsonl"
        path.with_name(path.name + ".proof.jsonl.gz").write_bytes(text)
        return verify(path, keys={key_id(self.public): self.public})


def test_a_true_one_is_valid(tmp_path: Path) -> None:
    report = Made(tmp_path).check()

    assert ([], True, 1, 1) == (report.findings, report.trusted, report.heads, report.heads_signed)


def _lines_behind(made: Made) -> None:
    """The list of lines of a forged file, put where nobody looks any more."""
    made.entries += [["file", "rows.jsonl", "lines"], ["digests", packed(digests(FORGED))]]


def _lines_before(made: Made) -> None:
    made.entries[4] = ["digests", packed(digests(FORGED))]


def _other_unit(made: Made) -> None:
    made.entries[3] = ["file", "rows.jsonl", "members"]


def _header(made: Made) -> None:
    made.entries[0]["export_id"] = "another"


def _head_elsewhere(made: Made) -> None:
    made.entries.insert(1, made.entries.pop(2))


def _head_of_another(made: Made) -> None:
    made.entries[2][1] = "2026-11-22"


def _second_signature(made: Made) -> None:
    other = copy.deepcopy(made.entries[-1])
    other["statement"]["files"] = []
    made.entries.append(other | made.signed(other["statement"]))


@pytest.mark.parametrize(
    "forge",
    [
        _lines_behind,
        _lines_before,
        _other_unit,
        _header,
        _head_elsewhere,
        _head_of_another,
        _second_signature,
    ],
)
def test_what_is_forged_in_a_proof_is_told(tmp_path: Path, forge: Callable[[Made], None]) -> None:
    made = Made(tmp_path)
    forge(made)

    assert not made.check().ok
    assert not made.check(FORGED).ok


def test_a_key_of_the_same_short_name_is_not_the_same_key(tmp_path: Path) -> None:
    made = Made(tmp_path)
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    made.check()

    report = verify(tmp_path / "rows.jsonl", keys={key_id(made.public): other})

    assert (False, False) == (report.ok, report.trusted)


SHAPES: list[Callable[[Any], Any]] = [
    lambda entry: {**entry, "statement": {**entry["statement"], "files": [{"name": "rows.jsonl"}]}},
    lambda entry: {**entry, "statement": {**entry["statement"], "files": 7}},
    lambda entry: {**entry, "statement": {**entry["statement"], "as_of_event": 2**70}},
    lambda entry: {**entry, "statement": []},
    lambda _: ["event", 2**70, "e", "task.submitted", "j", AT, {}, "00"],
    lambda _: ["event", 2, "e", "task.submitted", ["j"], AT, {}, "00"],
    lambda _: ["event", 2, "e", "task.submitted", "\ud800", AT, {}, "00"],
    lambda _: ["event", 2, "e", "task.accepted", "j", AT, {"commitment": 1}, "00"],
    lambda _: ["event", True, "e", "x", "j", "99999-01-01", {}, "zz"],
    lambda _: ["head", "d", 2**70, "", "k", ""],
    lambda _: ["file", {}, "lines"],
    lambda _: ["digests", "!"],
    lambda _: [],
]


def test_no_shape_of_a_proof_breaks_the_check(tmp_path: Path) -> None:
    for shape in SHAPES:
        for at in (1, 5):
            made = Made(tmp_path)
            made.entries.insert(at, shape(made.entries[-1]))
            assert not made.check().ok
    deep = json.dumps(Made(tmp_path).entries[0]).encode() + b"\n" + b"[" * 200_000 + b"\n"
    assert not Made(tmp_path).check_proof(deep).ok


def test_bombs_take_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LINE_MAX", 1 << 16)
    monkeypatch.setattr(proofs, "LINE_MAX", 1 << 16)
    monkeypatch.setattr(proofs, "LINES_MAX", 1_000)
    made = Made(tmp_path)
    endless, long = gzip.compress(b"x" * (1 << 23)), gzip.compress(b"[" * (1 << 23))
    tracemalloc.start()

    report = made.check([endless])
    with pytest.raises(CannotCheck, match="far too long"):
        made.check_packed(long)
    made.entries[4:5] = [["digests", packed(bytes(16_000))]] * 2
    with pytest.raises(CannotCheck, match="more than 1,000 lines"):
        made.check()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert {Kind.ALTERED, Kind.MISSING} >= set(report.counts)
    assert not report.ok
    assert peak < 1 << 22


def test_a_file_of_endless_lines_is_read_so_far_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marketplace.verify.check.STRANGE_MAX", 1_000)
    monkeypatch.setattr(lines, "COMPARED_MAX", 500)

    report = Made(tmp_path).check([gzip.compress(b"\n" * 1_000_000)])

    assert {Kind.ADDED: 1, Kind.ALTERED: 1} == dict(report.counts)


def bundle(made: Made, members: list[tuple[str, bytes]]) -> Path:
    """A ZIP of members with the proof of `rows.jsonl` inside."""
    text = b"".join(json.dumps(each).encode() + b"\n" for each in made.entries)
    path = made.folder / "bundle.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in [*members, ("proof.jsonl.gz", gzip.compress(text))]:
            archive.writestr(name, content)
    return path


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_an_archive_hides_is_told(tmp_path: Path) -> None:
    made, true = Made(tmp_path), b"".join(ROWS)
    listed = hashlib.sha256(true).hexdigest().encode() + b"  rows.jsonl\n"
    cases = {
        "true": [("rows.jsonl", true), ("MANIFEST.sha256", listed)],
        "doubled": [("rows.jsonl", b"".join(FORGED)), ("rows.jsonl", true)],
        "listed": [("rows.jsonl", true), ("MANIFEST.sha256", b"00  rows.jsonl\n")],
        "added": [("rows.jsonl", true), ("../rows.jsonl", true)],
        "missing": [],
    }
    keys = {key_id(made.public): made.public}

    found = {name: verify(bundle(made, each), keys=keys).ok for name, each in cases.items()}

    assert {name: name == "true" for name in cases} == found


def test_an_archive_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    made = Made(tmp_path)
    path = bundle(made, [("rows.jsonl", b"".join(ROWS))])
    content = path.read_bytes()
    for bit, offset in ((1, 8), (99, 10)):  # Encrypted; packed in a way that nobody knows.
        broken = bytearray(content)
        at = content.index(b"PK\x01\x02")
        broken[at + offset] |= bit
        broken[offset - 2] |= bit
        path.write_bytes(bytes(broken))
        assert not verify(path).ok
    path.write_bytes(content[:40])
    with pytest.raises(CannotCheck):
        verify(path)


def test_a_file_that_no_proof_speaks_of_is_not_consistent(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.entries[-1]["statement"]["files"] = []
    made.entries[-1] |= made.signed(made.entries[-1]["statement"])

    assert {Kind.ADDED: 1} == dict(made.check().counts)


def test_rows_that_nest_without_end_are_no_rows(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.entries[1] = ["event", 1, "e", "task.submitted", "j", AT, {}, "00", None]

    assert not made.check([b"[" * 200_000 + b"\n"]).ok


def test_a_proof_that_is_a_folder_cannot_be_checked(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_bytes(b"{}\n")
    with pytest.raises(CannotCheck):
        verify(tmp_path / "rows.jsonl", proof=tmp_path)
