"""Provenance: what the chain binds when work is handed in, and what a proof of it shows."""

from __future__ import annotations

import gzip
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from sqlalchemy.orm import Session

from marketplace import storage
from marketplace.delivery import service as delivery
from marketplace.delivery.models import DayHead
from marketplace.delivery.rules import proof_name
from marketplace.ids import JobId
from marketplace.outbox import Event, broken_chains
from marketplace.verify import CannotCheck, Kind, Report, verify
from marketplace.verify.keys import key_id, packed
from marketplace.verify.report import HARMLESS
from marketplace.verify.rows import check_row
from marketplace.verify.seal import signed_bytes
from marketplace.verify.store import HandedIn, temporary_store
from marketplace.work import service as work_service
from marketplace.work.models import Submission
from tests.make import background, proven, specialists, work

Alter = Callable[[list[bytes], list[Any], random.Random], tuple[Kind, int | None]]


def found(path: Path, *, proof: Path | None = None) -> Report:
    return verify(path, proof=proof, keys=proven.keys())


def test_a_true_export_is_valid_and_says_what_was_shown(session: Session, tmp_path: Path) -> None:
    made = proven.worked(session)
    path = proven.written(session, made, tmp_path)

    report = found(path)

    assert [] == report.findings
    assert (True, 4, 4, 4) == (report.ok, report.rows, report.opened, report.verdicts)
    assert report.trusted
    assert [] == report.notes
    assert ["Save the platform's keys" in note for note in verify(path).notes] == [True]
    assert [] == broken_chains(session)


def test_what_a_row_says_is_bound_from_its_hand_in_on(session: Session, tmp_path: Path) -> None:
    """Even the platform, which signs, cannot say later that something else was handed in."""
    made = proven.worked(session)
    work_given = session.query(Submission).filter_by(job_id=made.job.id).order_by(Submission.id)
    third = work_given.all()[2]
    session.execute(
        update(Submission).where(Submission.id == third.id).values(judgement={"choice": "tie"})
    )

    report = found(proven.written(session, made, tmp_path))

    assert [(Kind.ALTERED, 3)] == [(each.kind, each.line) for each in report.findings]
    assert "not what its author handed in" in report.findings[0].says


def test_who_was_erased_since_reads_as_erased(session: Session, tmp_path: Path) -> None:
    made = proven.worked(session)
    path = proven.written(session, made, tmp_path)
    work_service.forget_person(session, made.doctor.person())
    session.flush()
    before = found(path)
    proven.prove(proven.export_of(session, made), path)

    since = found(path)

    assert (True, 4) == (before.ok, before.opened)
    assert (True, {Kind.ERASED: 4}) == (since.ok, dict(since.counts))


def test_work_from_before_there_were_commitments_is_unproven_and_no_fault() -> None:
    report = Report()
    with temporary_store() as store:
        store.hand_in("a", HandedIn(1, None, None))
        for number, name in enumerate(("a", "b"), 1):
            check_row(store, report, "rows.jsonl", number, {"annotation_id": name})

    assert [(Kind.UNPROVEN, 1), (Kind.ADDED, 2)] == [
        (each.kind, each.line) for each in report.findings
    ]


def test_heads_are_kept_once_a_day_signed_and_stand_in_the_proof(
    session: Session, tmp_path: Path
) -> None:
    made = proven.worked(session)
    background.run("delivery.keep_heads")
    background.run("delivery.keep_heads")
    kept = session.query(DayHead).filter_by(scope=f"job:{made.job.id}").all()
    path = proven.written(session, made, tmp_path)

    report = found(path)

    assert (1, 1, []) == (len(kept), report.heads, report.findings)


def test_it_says_when_there_is_nothing_to_check_with(tmp_path: Path) -> None:
    alone = tmp_path / "rows.jsonl"
    alone.write_bytes(b"{}\n")
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(b'{"marketplace_proof": 9, "job_id": "x"}\n'))

    with pytest.raises(CannotCheck, match="no proof beside"):
        verify(alone)
    with pytest.raises(CannotCheck, match="later version"):
        verify(alone, proof=broken)
    with pytest.raises(CannotCheck, match="is not there"):
        verify(tmp_path / "nothing")


def entries_of(path: Path) -> list[Any]:
    packed_ = path.with_name(proof_name(path.name)).read_bytes()
    return [json.loads(line) for line in gzip.decompress(packed_).splitlines()]


def write(path: Path, lines: list[bytes], entries: list[Any]) -> None:
    path.write_bytes(b"".join(lines))
    text = b"".join(json.dumps(each).encode() + b"\n" for each in entries)
    path.with_name(proof_name(path.name)).write_bytes(gzip.compress(text))


def _a_letter(lines: list[bytes], _: list[Any], chance: random.Random) -> tuple[Kind, int]:
    at = chance.randrange(len(lines))
    place = lines[at].index(b"Reason") + chance.randrange(6)
    lines[at] = lines[at][:place] + bytes([lines[at][place] ^ 1]) + lines[at][place + 1 :]
    return Kind.ALTERED, at + 1


def _any_byte(lines: list[bytes], _: list[Any], chance: random.Random) -> tuple[Kind, int]:
    at = chance.randrange(len(lines))
    place = chance.randrange(len(lines[at]) - 1)
    new = chance.choice([each for each in range(256) if each not in {lines[at][place], 10}])
    lines[at] = lines[at][:place] + bytes([new]) + lines[at][place + 1 :]
    return Kind.ALTERED, at + 1


def _taken_out(lines: list[bytes], _: list[Any], chance: random.Random) -> tuple[Kind, int]:
    at = chance.randrange(len(lines))
    del lines[at]
    return Kind.MISSING, at + 1


def _doubled(lines: list[bytes], _: list[Any], chance: random.Random) -> tuple[Kind, int]:
    at = chance.randrange(len(lines))
    lines.insert(at + 1, lines[at])
    return Kind.ADDED, at + 2


def _made_up(lines: list[bytes], _: list[Any], chance: random.Random) -> tuple[Kind, int]:
    at = chance.randrange(len(lines) + 1)
    lines.insert(at, b'{"made": "up"}\n')
    return Kind.ADDED, at + 1


def _swapped(lines: list[bytes], _: list[Any], chance: random.Random) -> tuple[Kind, None]:
    at = chance.randrange(len(lines) - 1)
    lines[at], lines[at + 1] = lines[at + 1], lines[at]
    return Kind.REORDERED, None


def _places(entries: list[Any]) -> list[int]:
    return [at for at, each in enumerate(entries) if isinstance(each, list) and each[0] == "event"]


def _event_changed(_: list[bytes], entries: list[Any], chance: random.Random) -> tuple[Kind, int]:
    at = chance.choice(_places(entries))
    field = chance.choice([3, 4])
    entries[at][field] = entries[at][field][:-1] + "0" if field == 4 else entries[at][field] + "x"
    if field == 4:
        entries[at][4] = "00000000-0000-7000-8000-000000000000"
    return Kind.ALTERED, entries[at][1]


def _facts_changed(_: list[bytes], entries: list[Any], chance: random.Random) -> tuple[Kind, int]:
    at = chance.choice(_places(entries))
    entries[at][6] = {**entries[at][6], "added": 1}
    return Kind.ALTERED, entries[at][1]


def _event_cut(_: list[bytes], entries: list[Any], chance: random.Random) -> tuple[Kind, int]:
    at = chance.choice(_places(entries))
    number = entries[at][1]
    del entries[at]
    return Kind.MISSING, number


def _end_cut(_: list[bytes], entries: list[Any], chance: random.Random) -> tuple[Kind, int]:
    places = _places(entries)
    first = chance.randrange(1, len(places))
    number = entries[places[first]][1]
    for at in reversed(places[first:]):
        del entries[at]
    return Kind.MISSING, number


def _event_moved(_: list[bytes], entries: list[Any], chance: random.Random) -> tuple[Kind, int]:
    places = _places(entries)
    first = chance.randrange(len(places) - 1)
    at, other = places[first], places[first + 1]
    entries[at], entries[other] = entries[other], entries[at]
    return Kind.REORDERED, entries[other][1]


def _event_twice(_: list[bytes], entries: list[Any], chance: random.Random) -> tuple[Kind, int]:
    at = chance.choice(_places(entries))
    entries.insert(at + 1, entries[at])
    return Kind.ADDED, entries[at][1]


def _statement_changed(
    _: list[bytes], entries: list[Any], chance: random.Random
) -> tuple[Kind, None]:
    statement = entries[-1]["statement"]
    name = chance.choice(["export_id", "policy", "format"])
    statement[name] = statement[name] + "x"
    return Kind.UNSIGNED, None


def _signed_by_another(
    _: list[bytes], entries: list[Any], chance: random.Random
) -> tuple[Kind, None]:
    del chance
    other = Ed25519PrivateKey.generate()
    public = other.public_key().public_bytes_raw()
    message = signed_bytes("export", entries[-1]["statement"])
    entries[-1] |= {
        "signature": packed(other.sign(message)),
        "public_key": packed(public),
        "key_id": key_id(public),
    }
    return Kind.UNSIGNED, None


ALTERATIONS: list[Alter] = [
    _a_letter, _any_byte, _taken_out, _doubled, _made_up, _swapped, _event_changed,
    _facts_changed, _event_cut, _end_cut, _event_moved, _event_twice, _statement_changed,
    _signed_by_another,
]  # fmt: skip


def test_whatever_is_altered_is_named(session: Session, tmp_path: Path) -> None:
    made = proven.worked(session, items=3)
    true = proven.written(session, made, tmp_path)
    whole, entries = true.read_bytes().splitlines(keepends=True), entries_of(true)
    path = tmp_path / "altered.jsonl"

    @given(alter=st.sampled_from(ALTERATIONS), seed=st.integers(0, 2**32))
    @settings(
        max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
    )
    def altered(alter: Alter, seed: int) -> None:
        lines, told = list(whole), json.loads(json.dumps(entries))
        kind, line = alter(lines, told, random.Random(seed))
        write(path, lines, told)

        report = found(path)

        faults = [each for each in report.findings if each.kind not in HARMLESS]
        places = {(each.kind, each.line) for each in faults}
        assert not report.ok
        assert {kind} == {each.kind for each in faults}, report.findings
        assert line is None or (kind, line) in places, report.findings
        assert line is None or 1 == len(places), report.findings

    altered()


def test_packing_anew_alters_nothing(session: Session, tmp_path: Path) -> None:
    made = proven.worked(session, items=2)
    true = proven.written(session, made, tmp_path)
    proof = true.with_name(proof_name(true.name))
    repacked = tmp_path / "rows.jsonl.gz"
    repacked.write_bytes(gzip.compress(true.read_bytes(), 1))

    report = found(repacked, proof=proof)

    assert (True, 2) == (report.ok, report.opened)
    assert "packed anew" in report.notes[0]


def test_a_table_is_checked_row_by_row(session: Session, tmp_path: Path) -> None:
    import pyarrow  # noqa: PLC0415
    import pyarrow.parquet  # noqa: PLC0415

    made = proven.worked(session, items=3)
    path = tmp_path / "rows.parquet"
    rows = [{"n": number, "x": number / 3, "said": f"row {number}"} for number in range(5)]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    proven.prove(proven.export_of(session, made, form="trl_preference"), path)
    true = found(path)
    rows[3]["said"] = "another"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)

    altered = found(path)

    assert ([], [(Kind.ALTERED, 4)]) == (
        true.findings,
        [(each.kind, each.line) for each in altered.findings],
    )


def test_an_answer_is_committed_to_without_a_word_of_it_in_the_chain(session: Session) -> None:
    lab, job = work.published(session, items=1)
    del lab
    given_in = work.submitted(
        session, specialists.doctor(session), job, work.answer(rationale="Secret words.")
    )
    told = session.query(Event).filter_by(subject_id=given_in.id, kind="task.submitted").one()

    assert {"task_id", "counted", "commitment"} == set(told.facts)
    assert 64 == len(told.facts["commitment"])
    assert 16 == len(given_in.salt or b"")
    assert "Secret" not in json.dumps(told.facts)


def stored(session: Session, made: proven.Worked, folder: Path, form: str) -> Path:
    """An export of the job as it is written in the background, with its proof beside it."""
    export = delivery.request_export(session, made.lab, JobId(made.job.id), form=form, policy="all")
    session.flush()
    background.number_facts()
    background.run_all()
    session.refresh(export)
    path = folder / export.filename
    for reference, to in (
        (export.reference, path),
        (export.proof_reference, path.with_name(proof_name(path.name))),
    ):
        with storage.current().open(reference) as kept:
            to.write_bytes(kept.read())
    return path


def test_every_export_carries_its_proof(session: Session, tmp_path: Path) -> None:
    made = proven.worked(session, items=3)
    for form, opened in (("raw", 3), ("raw_parquet", 3), ("trl_preference", 0)):
        report = found(stored(session, made, tmp_path, form))

        assert ([], True) == (report.findings, report.trusted)
        assert (opened, opened) == (report.opened, report.verdicts)


def test_a_bundle_is_checked_as_an_archive_and_unpacked(session: Session, tmp_path: Path) -> None:
    made = proven.worked(session, items=2)
    path = stored(session, made, tmp_path, "hf_dataset")
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    archived, unpacked_ = found(path), found(folder)
    raw = folder / "annotations_raw.jsonl"
    raw.write_bytes(raw.read_bytes().replace(b"Reason 1", b"Reason 9"))
    (folder / "README.md").unlink()
    (folder / "more.txt").write_text("More.")

    altered = found(folder)

    for report in (archived, unpacked_):
        assert ([], 2, 2) == (report.findings, report.opened, report.verdicts)
    assert {
        (Kind.ALTERED, "annotations_raw.jsonl", 2),
        (Kind.MISSING, "README.md", None),
        (Kind.ADDED, "more.txt", None),
    } == {(each.kind, each.file, each.line) for each in altered.findings}
