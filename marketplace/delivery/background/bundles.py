"""Writing a dataset folder: every file of it, then one archive with fixed times."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Protocol

import orjson
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.delivery import queries, service
from marketplace.delivery.background.proofs import ProofFile, write_proof
from marketplace.delivery.models import Export
from marketplace.delivery.rules import BUNDLED, folder
from marketplace.delivery.rules.bundle import default_format
from marketplace.delivery.rules.card import Table, readme
from marketplace.delivery.rules.croissant import croissant
from marketplace.delivery.rules.datasheet import datasheet
from marketplace.delivery.rules.facts import Facts
from marketplace.delivery.rules.tables import Shape, schema_of, widen, write_parquet
from marketplace.jobs.models import Job
from marketplace.tasktypes import Counts, Exporter, ExportRow, Policy, Record, line, task_type

RAW_LINES, AGGREGATES, BELIEFS = "annotations_raw.jsonl", "aggregates.jsonl", "beliefs.jsonl"
MANIFEST = "MANIFEST.sha256"
# The oldest time that an archive can tell: the same files give the same bytes on any day.
AT = (1980, 1, 1, 0, 0, 0)
PIECE = 1 << 20
Watch = Callable[[Record], None]


class Engine(Protocol):
    """What reads a snapshot: the same records whenever it is asked, in the order of items."""

    def records(self, policy: str) -> Iterator[Record]: ...


def write(out: IO[bytes], export: Export, job: Job, engine: Engine) -> Counts:
    """Write the archive and say what became of what was read for its main table.

    Reads the snapshot twice, writes each file to a temporary folder once; memory holds a group of
    rows, never all.
    """
    with tempfile.TemporaryDirectory(prefix="export-") as place:
        made = _Folder(Path(place), export, job)
        with transaction() as session:
            made.facts = queries.card_facts(session, export)
            made.write_guidelines(session)
        counts = made.write_tables(engine)
        made.write_documents()
        made.prove()
        made.pack(out)
    return counts


class _Folder:
    """The files of one export while they are made."""

    facts: Facts

    def __init__(self, place: Path, export: Export, job: Job) -> None:
        self.place, self.export, self.job = place, export, job
        self.kind = task_type(job.task_type)
        self.tables: list[Table] = []

    def write_guidelines(self, session: Session) -> None:
        """Each version of what people read until the export was asked for."""
        (self.place / "guidelines").mkdir()
        for each in queries.guidelines_of(session, self.export):
            told = folder.guideline(each.number, each.instructions_md, each.template)
            (self.place / "guidelines" / f"v{each.number}.md").write_text(told, encoding="utf-8")

    def write_tables(self, engine: Engine) -> Counts:
        """The envelope as lines and as a table, and the table of the job's own format."""
        (self.place / "data").mkdir()
        policy = Policy(self.export.policy)
        raw, heard = self.kind.exports["raw"], Counts()
        with (self.place / AGGREGATES).open("wb") as out:
            rows = raw.rows(
                _watched(engine.records(Policy.ALL), self._aggregates(out)), Policy.ALL, heard
            )
            shape = _write_lines(self.place / RAW_LINES, rows, folder.flat)
        envelope = self._table(
            "raw", "Every judgement, with its envelope", RAW_LINES, folder.as_columns(shape), heard
        )
        main = default_format(self.kind, policy)
        if main is None and policy is not Policy.MODEL:
            self.tables = [envelope]
            return heard
        counts = self._write_main(main or raw, engine, policy)
        self.tables.append(envelope)
        return counts

    def _write_main(self, exporter: Exporter, engine: Engine, policy: Policy) -> Counts:
        """The rows that trainers read; the lines that they are made from are not kept."""
        counts, lines = Counts(), "main.jsonl"
        with (self.place / BELIEFS).open("wb") as out:
            records = engine.records(policy)
            if policy is Policy.MODEL:
                records = _watched(records, self._beliefs(out))
            told = folder.flat if exporter.key == "raw" else None
            shape = _write_lines(self.place / lines, exporter.rows(records, policy, counts), told)
        if policy is not Policy.MODEL:
            (self.place / BELIEFS).unlink()
        name = "labels" if exporter.key == "raw" else exporter.key
        shape = folder.as_columns(shape) if exporter.key == "raw" else shape
        self.tables.append(self._table(name, exporter.title, lines, shape, counts))
        (self.place / lines).unlink()
        return counts

    def _table(
        self, config: str, title: str, lines: str, shape: Mapping[str, Shape], counts: Counts
    ) -> Table:
        path = f"data/{config}.parquet"
        told = folder.flat if config in {"raw", "labels"} else None
        with (self.place / path).open("wb") as out:
            rows = write_parquet(out, _read_lines(self.place / lines, told), shape)
        size = (self.place / path).stat().st_size
        return Table(config, title, path, rows, size, counts.as_json(), schema_of(shape))

    def _aggregates(self, out: IO[bytes]) -> Watch:
        return lambda record: _put(out, line(folder.aggregate(self.kind, record)))

    @staticmethod
    def _beliefs(out: IO[bytes]) -> Watch:
        return lambda record: _put(out, line(folder.belief(record)))

    def write_documents(self) -> None:
        """The card, the datasheet, the report and the description for machines."""
        card = readme(self.facts, self.tables)
        with transaction() as session:
            service.keep_readme(session, self.export, card)
        report = orjson.dumps(
            folder.agreement_report(self.facts), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
        )
        (self.place / "agreement_report.json").write_bytes(report + b"\n")
        (self.place / "DATASHEET.md").write_text(
            datasheet(self.facts, self.tables), encoding="utf-8"
        )
        (self.place / "README.md").write_text(card, encoding="utf-8")
        files = {
            path: ((self.place / path).stat().st_size, sha256) for path, sha256 in self._files()
        }
        described = croissant(self.facts, self.tables, files)
        told = orjson.dumps(described, option=orjson.OPT_INDENT_2)
        (self.place / "croissant.json").write_bytes(told + b"\n")

    def _files(self) -> list[tuple[str, str]]:
        """Path and SHA-256 of every file there is by now."""
        files = sorted(each for each in self.place.rglob("*") if each.is_file())
        return [(each.relative_to(self.place).as_posix(), _sha256(each)) for each in files]

    def prove(self) -> None:
        """Write the proof of all that is there by now, to lie among it."""
        paths = [path for path, _ in self._files()]
        files = [ProofFile(path, partial(_read, self.place / path)) for path in paths]
        with (self.place / BUNDLED).open("wb") as out:
            write_proof(out, self.export, files)

    def pack(self, out: IO[bytes]) -> None:
        """Put all files into an archive, the manifest last."""
        (self.place / MANIFEST).write_bytes(folder.manifest(self._files()))
        with zipfile.ZipFile(out, "w", allowZip64=True) as archive:
            for path in sorted(each for each in self.place.rglob("*") if each.is_file()):
                _pack(archive, path, path.relative_to(self.place).as_posix())


def _put(out: IO[bytes], text: bytes) -> None:
    out.write(text)


def _watched(records: Iterable[Record], watch: Watch) -> Iterator[Record]:
    for record in records:
        watch(record)
        yield record


def _read(path: Path) -> IO[bytes]:
    return path.open("rb")


Told = Callable[[Mapping[str, object]], ExportRow]


def _write_lines(path: Path, rows: Iterable[ExportRow], told: Told | None) -> dict[str, Shape]:
    """Write rows as lines of JSON; the shape of the columns they make."""
    shape: dict[str, Shape] = {}
    with path.open("wb") as out:
        for row in rows:
            out.write(line(row))
            widen(shape, told(row) if told else row)
    return shape


def _read_lines(path: Path, told: Told | None) -> Iterator[ExportRow]:
    with path.open("rb") as lines:
        for each in lines:
            row = orjson.loads(each)
            yield told(row) if told else row


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pack(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    member = zipfile.ZipInfo(name, AT)
    member.compress_type = (
        zipfile.ZIP_STORED if name.endswith((".parquet", ".gz")) else zipfile.ZIP_DEFLATED
    )
    member.external_attr = 0o644 << 16
    with path.open("rb") as file, archive.open(member, "w", force_zip64=True) as packed:
        shutil.copyfileobj(file, packed, PIECE)
