"""Imports: rows a second, processor time and peak memory by form, beside a bare COPY of the rows.

Run `python -m bench.imports [--rows N] [--forms jsonl,csv,parquet,records,zip]`. Each import runs
in a process of its own that reads as a worker does, so that its peak memory is its own. A file is
read when it is new, once more when it is sent again, and once more when it has grown by a
hundredth: what is stored already should cost next to nothing. `COPY` writes the same payloads into
the same table, with the same indexes, and checks nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import resource
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.queues import Queue
from pathlib import Path
from uuid import UUID

import psycopg
from pyarrow import Table
from pyarrow.parquet import ParquetWriter

from marketplace import db, secrets, settings, storage
from marketplace.actor import Actor
from marketplace.cli.migrate import role_of, upgrade
from marketplace.embedded import temporary
from marketplace.identity import queries as people
from marketplace.identity import service as identity
from marketplace.ids import new_id
from marketplace.jobs import background, queries, service
from marketplace.jobs.background import Turn
from marketplace.money import Money
from marketplace.settings import Settings

FORMS = ("jsonl", "csv", "parquet", "records", "zip")
GROUP_ROWS = 100_000
WORDS = "A patient of 63 years with atrial fibrillation asks whether spinach is allowed. " * 2
COLUMNS = {"external_id": "external_id", "prompt": "prompt", "a": "a", "b": "b"}


def row(number: int) -> dict[str, str]:
    """A pair of answers of about 400 bytes."""
    answer = f"{WORDS[: 60 + number % 60]} Steady amounts, and the next check in week {number % 9}."
    return {
        "external_id": f"row-{number:08}",
        "prompt": f"{number}: {WORDS}",
        "a": answer,
        "b": f"Never eat it again. {number}",
    }


def item(number: int) -> bytes:
    """The same as a line of ours."""
    said = row(number)
    payload = {
        "messages": [{"role": "user", "content": said["prompt"]}],
        "a": said["a"],
        "b": said["b"],
    }
    return json.dumps({"external_id": said["external_id"], "payload": payload}).encode() + b"\n"


def lines(rows: int) -> Iterator[bytes]:
    yield from (item(number) for number in range(rows))


def write_jsonl(path: Path, rows: int) -> None:
    with path.open("wb") as out:
        out.writelines(lines(rows))


def write_records(path: Path, rows: int) -> None:
    with path.open("wb") as out:
        out.write(b"[")
        for number in range(rows):
            out.write((b",\n" if number else b"\n") + json.dumps(row(number)).encode())
        out.write(b"]\n")


def write_csv(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8") as out:
        out.write("external_id,prompt,a,b\n")
        for number in range(rows):
            out.write(",".join(f'"{value}"' for value in row(number).values()) + "\n")


def write_parquet(path: Path, rows: int) -> None:
    schema = Table.from_pylist([row(0)]).schema
    with ParquetWriter(path, schema) as out:
        for start in range(0, rows, GROUP_ROWS):
            some = [row(number) for number in range(start, min(rows, start + GROUP_ROWS))]
            out.write_table(Table.from_pylist(some))


def write_zip(path: Path, rows: int) -> None:
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("items.jsonl", "w", force_zip64=True) as out,
    ):
        for line in lines(rows):
            out.write(line)


WRITERS: dict[str, Callable[[Path, int], None]] = {
    "jsonl": write_jsonl,
    "csv": write_csv,
    "parquet": write_parquet,
    "records": write_records,
    "zip": write_zip,
}


def lab() -> Actor:
    """The owner of a lab."""
    with db.transaction() as session:
        someone = identity.register_verified(
            session,
            email=f"lab-{new_id()}@example.test",
            name="Owner",
            password="correct horse battery staple",  # noqa: S106 - of a database of its own.
            is_specialist=False,
            lab_name="Lab",
        )
        session.flush()
        belongings = people.belongings(session, someone.id)
        return people.actor_for(someone, belongings, belongings[0].organisation_id)


def job_of(owner: Actor) -> UUID:
    """A draft for pairs."""
    with db.transaction() as session:
        made = service.create_job(
            session,
            owner,
            task_type="pairwise",
            title="Which answer is safer?",
            domain="cardiology",
            instructions_md="Choose.",
            profession="medicine",
            pay=Money(4_50, "USD"),
        )
        return made.id


def started(owner: Actor, job_id: UUID, path: Path) -> UUID:
    """An import whose file lies in the store."""
    reference = f"imports/{new_id()}"
    with path.open("rb") as content:
        size = storage.current().put(reference, content)
    kind = service.kind_of_stored(reference, path.name, "pairwise")
    mapping = COLUMNS if kind in ("csv", "parquet", "records") else {}
    wish = service.Wish(kind=kind, mapping=mapping)
    with db.transaction() as session:
        made = service.start_import(
            session, owner, job_id, reference, filename=path.name, wish=wish, size_bytes=size
        )
        return made.id


def _read(import_id: UUID, told: Queue[tuple[float, float, float]]) -> None:
    """Read an import as a worker does: seconds, of them on the processor, MiB at the most."""
    found = settings.current()
    db.disconnect()  # The parent's connections are not ours to close.
    db.connect(found.database_url, pool_size=2)
    began, busy = time.monotonic(), time.process_time()
    while background.read_on(import_id) is Turn.OVER:
        pass
    seconds, busy = time.monotonic() - began, time.process_time() - busy
    told.put((seconds, busy, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def read(owner: Actor, job_id: UUID, path: Path) -> tuple[str, float, float, float]:
    """Read a file in a process of its own: what became of its rows, and as `_read` told."""
    import_id = started(owner, job_id, path)
    context = multiprocessing.get_context("fork")
    told: Queue[tuple[float, float, float]] = context.Queue()
    reader = context.Process(target=_read, args=(import_id, told))
    reader.start()
    seconds, busy, peak = told.get()
    reader.join()
    with db.transaction() as session:
        found = queries.import_of(session, owner, import_id)
        if found.failure is not None:
            raise RuntimeError(found.failure)
        said = f"{found.accepted:,} new, {found.duplicates:,} known, {found.rejected:,} rejected"
    return said, seconds, busy, peak


def bare_copy(job_id: UUID, rows: int, line: bytes = b"") -> float:
    """Seconds that PostgreSQL needs for the same payloads, with nothing checked."""
    url = settings.current().database_url.replace("+psycopg", "", 1)
    payload = (line or item(1)).partition(b'"payload": ')[2][:-2].decode()
    digest = hashlib.sha256(payload.encode()).digest()
    began = time.monotonic()
    with (
        psycopg.connect(url) as connection,
        connection.cursor() as cursor,
        cursor.copy(
            "COPY item (id, job_id, external_id, position, payload, payload_sha256, sent_sha256) "
            "FROM STDIN"
        ) as copy,
    ):
        for number in range(rows):
            said = (payload, digest, digest)
            copy.write_row((new_id(), job_id, f"row-{number:08}", number + 1, *said))
    return time.monotonic() - began


def table(rows: int, forms: list[str], folder: Path) -> None:
    """Print the figures."""
    owner = lab()
    seconds = bare_copy(job_of(owner), rows)
    print(f"COPY alone, nothing checked: {rows / seconds:,.0f} rows/s")
    head = f"{'form':>8} {'file':>7} {'MiB':>7} {'seconds':>8} {'rows/s':>9} {'by CPU':>9}"
    print(f"{head} {'peak MiB':>9}  what became of the rows")
    grown = rows + rows // 100
    for form in forms:
        job_id = job_of(owner)
        for name, count in (("new", rows), ("again", rows), ("grown", grown)):
            path = folder / f"{form}.{'json' if form == 'records' else form}"
            if name != "again":
                WRITERS[form](path, count)
            size = path.stat().st_size / 2**20
            said, seconds, busy, peak = read(owner, job_id, path)
            rates = f"{count / seconds:>9,.0f} {count / busy:>9,.0f}"
            figures = f"{size:>7.0f} {seconds:>8.1f} {rates} {peak:>9.0f}"
            print(f"{form:>8} {name:>7} {figures}  {said}", flush=True)
        path.unlink()


def main() -> None:
    """Start a stack of its own in a temporary folder, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--forms", default=",".join(FORMS), help="some of them, by commas")
    arguments = parser.parse_args()
    with place() as folder:
        table(arguments.rows, arguments.forms.split(","), folder)


@contextmanager
def place() -> Iterator[Path]:
    """A stack of its own, migrated, and a folder for files."""
    with temporary() as stack:
        os.environ.update(stack.environment)
        found = Settings.from_environ(os.environ)
        settings.use(found)
        secrets.use_keys(found.encryption_keys, found.pseudonym_key)
        upgrade(found.owner_database_url, app_role=role_of(found.database_url))
        engine = db.connect(found.database_url)
        folder = Path(os.environ["STORAGE_URL"]) if "://" not in found.storage_url else Path()
        folder.mkdir(parents=True, exist_ok=True)
        storage.use(storage.from_url(str(folder / "store")))
        try:
            yield folder
        finally:
            engine.dispose()


if __name__ == "__main__":
    main()
