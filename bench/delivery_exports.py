"""Exports: rows a second and peak memory of what writes them, beside COPY TO of the same rows.

Run `python -m bench.delivery_exports [--rows 10000,100000] [--payload-bytes N]`. Each row is an
accepted answer to an item of its own, with its claim, verdict and events. Each file is written in a
process of its own, as a worker does: what was frozen, the pieces, one file, its proof, and the
comparison with the database. `COPY TO` gives the same items with the same answers in the same
order, as text, and nothing else; the ratio is of its rows a second.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import random
import resource
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.queues import Queue
from uuid import UUID

import psycopg

from bench.load.world import World, world
from marketplace import db, outbox, settings, storage
from marketplace.delivery import service
from marketplace.delivery.background import write_export
from marketplace.delivery.models import Export
from marketplace.delivery.rules import ExportState
from marketplace.embedded import temporary
from marketplace.ids import ExportId, JobId

FORMS = (("raw", "none"), ("raw", "gzip"), ("raw_parquet", "none"), ("trl_preference", "none"))
NUMBERED_AT_ONCE = 5_000
LIMIT_MIB = 300
SEED = 7
WORDS = (  # noqa: SIM905 - a list of forty words would be forty lines.
    "a the of with without patient dose warfarin spinach atrial fibrillation stroke bleeding risk "
    "answer names both drugs never always weekly check creatinine clearance 25 mg twice daily asks"
).split()
TARGET = 0.3
ACCEPTED = (
    """UPDATE submission SET state = 'accepted', decided_at = submitted_at
       WHERE job_id = %(job)s""",
    """INSERT INTO decision
         (id, submission_id, job_id, author_id, verdict, defects, note, decided_at)
       SELECT gen_random_uuid(), id, job_id, specialist_id, 'accept', '[]', '', decided_at
       FROM submission WHERE job_id = %(job)s""",
    """INSERT INTO event (id, kind, subject_id, organisation_id, job_id, facts, announced_at)
       SELECT overlay(gen_random_uuid()::text placing told.turn from 1 for 8)::uuid,
         told.kind, s.id, job.organisation_id, job.id,
         jsonb_build_object('task_id', s.task_id) || told.more, s.submitted_at
       FROM submission s JOIN job ON job.id = s.job_id
       CROSS JOIN (VALUES ('task.submitted', '01900000', '{}'::jsonb),
         ('task.accepted', '01900001', '{"was": "in_review", "round": 1}'))
         AS told(kind, turn, more)
       WHERE s.job_id = %(job)s""",
)
SAME_ROWS = """COPY (SELECT item.id, item.external_id, item.payload, submission.*
  FROM item JOIN task ON task.item_id = item.id JOIN submission ON submission.task_id = task.id
  WHERE item.job_id = '{job}' ORDER BY item.position) TO STDOUT"""


def filled(here: World, rows: int, payload_bytes: int) -> UUID:
    """A job with so many accepted answers, its events numbered."""
    job_id = here.job(rows, payload_bytes)
    people = [person_id for person_id, _ in here.specialists(4)]
    for number, person_id in enumerate(people):
        here.past(person_id, job_id, rows // 4 + (rows % 4 if number == 0 else 0))
    for statement in ACCEPTED:
        here._run(statement, {"job": job_id})
    here.settle()
    numbered = 1
    while numbered:
        with db.transaction() as session:
            numbered = outbox.number_events(session, limit=NUMBERED_AT_ONCE)
    here.settle()
    return job_id


def copied(job_id: UUID) -> tuple[float, int]:
    """Seconds that PostgreSQL needs to give the same rows as text, and how many bytes it gives."""
    url = settings.current().database_url.replace("+psycopg", "", 1)
    began, size = time.monotonic(), 0
    with (
        psycopg.connect(url) as connection,
        connection.cursor() as cursor,
        cursor.copy(SAME_ROWS.format(job=job_id)) as copy,
    ):
        for piece in copy:
            size += len(piece)
    return time.monotonic() - began, size


def _write(work: outbox.Work, export_id: str, told: Queue[tuple[float, float, float]]) -> None:
    found = settings.current()
    db.disconnect()  # The parent's connections are not ours to close.
    db.connect(found.database_url, pool_size=2)
    began, busy = time.monotonic(), time.process_time()
    write_export(work, export_id)
    seconds, busy = time.monotonic() - began, time.process_time() - busy
    told.put((seconds, busy, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def written(here: World, job_id: UUID, form: str, compression: str) -> tuple[Export, list[float]]:
    """A file written in a process of its own: seconds, of them on the processor, MiB at most."""
    if here.lab is None:
        raise LookupError("The job has no lab.")
    with db.transaction() as session:
        asked = service.request_export(
            session, here.lab, JobId(job_id), form=form, policy="all", compression=compression
        )
        export_id = asked.id
        row_id = outbox.enqueue(session, "delivery.write_export", export_id=export_id)
    work = outbox.Work(row_id, "delivery.write_export", {}, 1)
    context = multiprocessing.get_context("fork")
    told: Queue[tuple[float, float, float]] = context.Queue()
    writer = context.Process(target=_write, args=(work, str(export_id), told))
    writer.start()
    figures = list(told.get())
    writer.join()
    with db.transaction() as session:
        export = session.get_one(Export, ExportId(export_id))
    if export.state is not ExportState.DONE:
        raise RuntimeError(f"{form}: {export.state.value}, {export.failure}")
    return export, figures


def table(here: World, rows: int, payload_bytes: int, forms: Sequence[tuple[str, str]]) -> None:
    """Print the figures for one size."""
    job_id = filled(here, rows, payload_bytes)
    copied(job_id)  # Once to warm up.
    print(f"\n{rows:,} accepted answers, items of {payload_bytes:,} bytes")
    head = f"{'':>24} {'MiB':>7} {'seconds':>8} {'rows/s':>8} {'by CPU':>8} {'peak MiB':>9}"
    print(f"{head} {'ratio':>6}")
    for form, compression in forms:
        seconds, size = copied(job_id)
        limit = rows / seconds
        told = f"{size / 2**20:>7.0f} {seconds:>8.2f} {limit:>8,.0f} {'':>8} {'':>9} {'':>6}"
        print(f"{'COPY TO':>24} {told}")
        export, (seconds, busy, peak) = written(here, job_id, form, compression)
        if export.rows != rows:
            raise RuntimeError(f"{export.rows:,} rows were written in place of {rows:,}.")
        name = form if compression == "none" else f"{form}, {compression}"
        rate, ratio = rows / seconds, rows / seconds / limit
        told = f"{(export.bytes or 0) / 2**20:>7.0f} {seconds:>8.2f} {rate:>8,.0f}"
        more = "" if ratio >= TARGET and peak <= LIMIT_MIB else "  misses its target"
        print(
            f"{name:>24} {told} {rows / busy:>8,.0f} {peak:>9.0f} {ratio:>6.2f}{more}", flush=True
        )


def main() -> None:
    """Start a stack of its own in a temporary folder, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="10000,100000", help="sizes, by commas")
    parser.add_argument("--payload-bytes", type=int, default=2_000)
    parser.add_argument("--forms", default=",".join(sorted({form for form, _ in FORMS})))
    arguments = parser.parse_args()
    wanted = set(arguments.forms.split(","))
    forms = [each for each in FORMS if each[0] in wanted]
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"Targets: ratio at least {TARGET}, peak at most {LIMIT_MIB} MiB.")
    random.seed(SEED)
    noise = " ".join(random.choices(WORDS, k=2_000))
    with tempfile.TemporaryDirectory() as folder, temporary() as stack:
        environment = {"STORAGE_URL": f"{folder}/store"}
        with world(stack, environment, noise) as here:
            storage.use(storage.from_url(f"{folder}/store"))
            for rows in arguments.rows.split(","):
                table(here, int(rows), arguments.payload_bytes, forms)


if __name__ == "__main__":
    main()
