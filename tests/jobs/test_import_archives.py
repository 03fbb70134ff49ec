"""Archives: files of many kinds with their images, cut short, made to harm, or in a bucket."""

from __future__ import annotations

import io
import json
import logging
import struct
import zipfile
from collections.abc import Iterator
from uuid import UUID

import boto3
import pytest
from moto.server import ThreadedMotoServer
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import outbox, settings, storage
from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.errors import Faulty
from marketplace.jobs import background, queries, service
from marketplace.jobs.background import Turn
from marketplace.jobs.models import Item, ItemImage, Job, JobBucket, JobImport
from marketplace.jobs.rules import ImportKind, ImportState, Labels
from marketplace.jobs.rules.imports.archive import ENTRIES_MAX
from marketplace.jobs.rules.imports.zipped import Zip
from marketplace.money import Money
from marketplace.outbox import OutboxRow
from tests.jobs.test_imports import read_whole, run, started
from tests.make import identity
from tests.make import jobs as make
from tests.make.files import CELLS, COCO, VOC, parquet, zipped
from tests.make.images import picture

PICTURE = picture("PNG")
OTHER = picture("PNG", size=(9, 6))
SHELF = {
    "set/annotations/coco.json": json.dumps(COCO).encode(),
    "set/images/one.png": PICTURE,
    "set/images/two.png": OTHER,
    "set/README.md": b"About this set.",
    "__MACOSX/._one.png": b"\0",
    "set/.DS_Store": b"\0",
}
ARCHIVE = service.Wish(kind="archive", labels=Labels.PRELABELS)


def cells(session: Session, lab: Actor) -> Job:
    return service.create_job(
        session,
        lab,
        task_type="regions",
        title="Mark every cell",
        domain="haematology",
        instructions_md="Mark what you see.",
        profession="medicine",
        pay=Money(4_50, "USD"),
        template=CELLS,
    )


def faults(session: Session, lab: Actor, found: JobImport) -> dict[str, str]:
    """What was said of each file that could not be used."""
    rows = queries.rejected_rows(session, lab, found.id)
    return {str(row.file): row.message for row in rows}


def names(session: Session, job: Job) -> list[str]:
    items = select(Item.external_id).where(Item.job_id == job.id).order_by(Item.position)
    return list(session.scalars(items))


def test_a_zip_brings_annotations_and_their_images(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = cells(session, lab)

    found = started(session, lab, job, zipped(SHELF), "set.zip", wish=ARCHIVE)
    run(session, found)

    assert (ImportState.DONE, 2, 2, 0) == (
        found.state,
        found.images_added,
        found.accepted,
        found.rejected,
    )
    assert {"file_that_holds_no_items": 1, "mask_or_crowd": 1} == found.left_out
    items = session.scalars(select(Item).where(Item.job_id == job.id).order_by(Item.position))
    assert ["one.png", "two.png"] == [item.payload["image"] for item in items]
    assert {"one.png", "two.png"} == set(session.scalars(select(ItemImage.name)))
    assert found.progress[0] == found.progress[1] > 0
    again = started(session, lab, job, zipped(SHELF), "set.zip", wish=ARCHIVE)
    run(session, again)
    assert (0, 2, 0, 2) == (
        again.accepted,
        again.duplicates,
        again.images_added,
        again.images_known,
    )


@pytest.mark.parametrize("chunk_rows", [1, 2])
def test_an_archive_is_read_on_from_any_chunk(session: Session, chunk_rows: int) -> None:
    lab = identity.lab_owner(session)
    job = cells(session, lab)
    more = {f"voc/{n}.xml": VOC.replace(b"one.png", b"v%d.png" % n) for n in range(5)}

    found = started(session, lab, job, zipped(SHELF | more), "set.zip", wish=ARCHIVE)
    turns = read_whole(session, found, chunk_rows=chunk_rows)

    assert turns > 3
    assert ["one.png", "pictures/two.png", *(f"v{n}.png" for n in range(5))] == names(session, job)
    assert (2, 7, 0) == (found.images_added, found.accepted, found.rejected)


def test_images_alone_are_the_items(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = cells(session, lab)

    both = {"a/x.png": PICTURE, "b/x.png": OTHER, "c/y.jpg": picture("JPEG")}
    run(session, found := started(session, lab, job, zipped(both), "i.zip", wish=ARCHIVE))

    # Two of one name keep their folders.
    assert ["a/x.png", "b/x.png", "y.jpg"] == names(session, job)
    assert 3 == found.images_added


def test_files_of_several_kinds_are_read_by_what_they_hold(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make.draft(session, lab)
    row = {"external_id": "p", "prompt": "Q", "a": "A", "b": "B"}
    content = zipped(
        {
            "1.jsonl": b"\n".join([*make.lines(2), b"broken"]),
            "2.parquet": parquet([row]),
            "3.csv": b"external_id,prompt,a,b\nc,Q,A,B\n",
            "4.csv": b"colour\nred\n",
            "5.png": PICTURE,
            "6.json": b"",
        }
    )

    run(session, found := started(session, lab, job, content, "all.zip", wish=ARCHIVE))

    assert ["item-1", "item-2", "p", "c"] == names(session, job)
    told = faults(session, lab, found)
    assert ["1.jsonl", "4.csv", "5.png", "6.json"] == sorted(told)
    assert "shows no images" in told["5.png"]
    assert "external_id" in told["4.csv"]


def hostile() -> bytes:
    """A zip file with one good file among those that mean harm."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("good.jsonl", b"\n".join(make.lines(1)))
        for name in ("../out.jsonl", "/etc/x.jsonl", "a/../../b.jsonl", "C:/x.jsonl", "n\nl.jsonl"):
            archive.writestr(name, b"\n".join(make.lines(1, first=9)))
        link = zipfile.ZipInfo("link.jsonl")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, b"/etc/passwd")
        archive.writestr("inner.zip", zipped({"x.jsonl": b"{}"}))
        archive.writestr("bomb.jsonl", b"\0" * (70 * 2**20))
        archive.writestr("patient.dcm", b"\0" * 128 + b"DICM" + b"\0" * 100)
        archive.writestr("odd.json", b"\1\2\3")
    return out.getvalue()


def test_an_archive_made_to_harm_costs_only_its_own_files(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make.draft(session, lab)

    run(session, found := started(session, lab, job, hostile(), "h.zip", wish=ARCHIVE))

    assert (ImportState.DONE, 1) == (found.state, found.accepted)
    told = faults(session, lab, found)
    assert 5 == sum("leads out of the archive" in words for words in told.values())
    for name, words in {
        "link.jsonl": "link to another file",
        "inner.zip": "archive in an archive",
        "bomb.jsonl": "far more than it takes up",
        "odd.json": "do not know this form",
    }.items():
        assert words in told[name]
    assert 10 == found.rejected


def test_an_archive_that_is_damaged_in_the_middle_keeps_its_other_files(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make.draft(session, lab)
    files = {f"{n}.jsonl": make.line(f"row-{n}") + b"\n" for n in range(3)}
    content = bytearray(zipped(files, packed=False))
    at = content.index(b"row-1")
    content[at : at + 5] = b"ROW-1"

    run(session, found := started(session, lab, job, bytes(content), "d.zip", wish=ARCHIVE))

    assert ["row-0", "row-2"] == [name for name in names(session, job) if name != "ROW-1"]
    assert "damaged" in faults(session, lab, found)["1.jsonl"]


def test_lists_that_lie_are_refused_before_they_are_read() -> None:
    good = zipped({"a.jsonl": b"{}"})
    end = good.rindex(b"PK\x05\x06")
    many = good[:end] + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0, 0xFFFE, 2**31, 0, 0)
    assert ENTRIES_MAX > 0xFFFE
    # The old fields say one file, the new ones, which are those that count, say too many.
    wide = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, 2**31, 2**31, 2**40, 0)
    behind = struct.pack("<4sIQI", b"PK\6\7", 0, end, 1)
    elsewhere = struct.pack("<4sIQI", b"PK\6\7", 0, 0, 1)

    for content, words in (
        (many, "holds more than"),
        (good[:end] + wide + behind + good[end:], "holds more than"),
        (good[:end] + wide + elsewhere + good[end:], "damaged"),
        (good[:-30], "cut short"),
        (b"PK\3\4" + b"\0" * 60, "cut short"),
        (good.replace(b"PK\1\2", b"PK\7\7"), "damaged"),
    ):
        with pytest.raises(Faulty, match=words):
            Zip(io.BytesIO(content)).entries()


def test_the_second_image_of_a_name_is_told(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = cells(session, lab)
    run(session, started(session, lab, job, zipped({"x.png": PICTURE}), "a.zip", wish=ARCHIVE))

    second = zipped({"x.png": OTHER, "y.png": b"\x89PNG"})
    run(session, found := started(session, lab, job, second, "b.zip", wish=ARCHIVE))

    told = faults(session, lab, found)
    assert "Another image is called" in told["x.png"]
    assert "y.png" in told
    # The item of the first one stands; the damaged image made none that could be shown.
    assert (0, 1) == (found.images_added, found.duplicates)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """An S3 on loopback, with a bucket of a lab's."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="k",
        aws_secret_access_key="s",
    )
    client.create_bucket(Bucket="lab-files")
    for name, content in SHELF.items():
        client.put_object(Bucket="lab-files", Key=f"deep/{name}", Body=content)
    one = b"\n".join(make.lines(5))
    client.put_object(Bucket="lab-files", Key="items.jsonl", Body=one)
    client.put_object(Bucket="lab-files", Key="set.zip", Body=zipped(SHELF))
    yield url
    server.stop()


@pytest.fixture
def allowed(endpoint: str) -> Iterator[str]:
    """The settings with the tests' own S3 among the endpoints that labs may name."""
    former = settings.current()
    fields = {name: getattr(former, name) for name in former.__slots__}
    settings.use(settings.Settings(**fields | {"s3_source_endpoints": (endpoint,)}))
    yield endpoint
    settings.use(former)


def from_bucket(session: Session, lab: Actor, job: Job, source: str, url: str) -> JobImport:
    """An import from a bucket, fetched and read to its end."""
    service.set_bucket(
        session,
        lab,
        job.id,
        endpoint=url,
        region="",
        access_key_id="key",
        secret_access_key="hidden",
    )
    wish = service.Wish(labels=Labels.PRELABELS)
    found = service.start_bucket_import(session, lab, job.id, source, wish=wish)
    work = session.scalars(
        select(OutboxRow).where(OutboxRow.arguments["import_id"].astext == str(found.id))
    ).one()
    background.fetch_import(outbox.Work(work.id, work.name, {}, 1), str(found.id))
    session.expire_all()
    if found.finished_at is None:
        while background.read_on(found.id) is Turn.OVER:
            pass
    session.expire_all()
    return found


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("s3://lab-files/deep/set/", ImportKind.ARCHIVE),
        ("s3://lab-files/set.zip", ImportKind.ARCHIVE),
        ("s3://lab-files/items.jsonl", ImportKind.JSONL),
    ],
)
def test_a_bucket_is_read(session: Session, allowed: str, source: str, kind: ImportKind) -> None:
    lab = identity.lab_owner(session)
    plain = kind is ImportKind.JSONL
    job = make.draft(session, lab) if plain else cells(session, lab)

    found = from_bucket(session, lab, job, source, allowed)

    assert (ImportState.DONE, kind) == (found.state, found.kind)
    assert ((5, 0) if plain else (2, 2)) == (found.accepted, found.images_added)


@pytest.mark.parametrize(
    ("source", "words"),
    [("s3://lab-files/none/", "No file"), ("s3://nowhere-at-all/x", "no such bucket")],
)
def test_a_bucket_that_holds_nothing_fails_in_words(
    session: Session, allowed: str, source: str, words: str
) -> None:
    lab = identity.lab_owner(session)

    found = from_bucket(session, lab, make.draft(session, lab), source, allowed)

    assert ImportState.FAILED is found.state
    assert words in str(found.failure)


def test_only_endpoints_that_the_operator_allows_are_spoken_to(
    session: Session, allowed: str
) -> None:
    lab = identity.lab_owner(session)
    job = make.draft(session, lab)

    for url in ("http://169.254.169.254", "https://minio.example.org", "aws", allowed + "1"):
        with pytest.raises(Faulty, match="endpoints"):
            from_bucket(session, lab, job, "s3://lab-files/items.jsonl", url)
    for source in ("http://x/y", "s3://", "s3://UPPER/x", "s3://a/\n"):
        with pytest.raises(Faulty, match="s3://bucket"):
            from_bucket(session, lab, job, source, allowed)


def test_the_key_to_a_bucket_is_kept_encrypted(session: Session, allowed: str) -> None:
    lab = identity.lab_owner(session)
    job = make.draft(session, lab)
    from_bucket(session, lab, job, "s3://lab-files/items.jsonl", allowed)

    raw = session.connection().exec_driver_sql(
        "SELECT secret_access_key FROM job_bucket WHERE job_id = %s", (job.id,)
    )
    assert b"hidden" not in bytes(raw.scalar_one())
    with transaction() as own:
        assert "hidden" == own.get_one(JobBucket, job.id).secret_access_key
    again = service.set_bucket(
        session, lab, job.id, endpoint="", region="", access_key_id="", secret_access_key=""
    )
    assert "key" == again.access_key_id


def test_a_held_archive_is_looked_at_without_reading_its_images(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = cells(session, lab)
    storage.current().put("imports/shelf", io.BytesIO(zipped(SHELF)))
    found = service.start_import(
        session, lab, job.id, "imports/shelf", filename="s.zip", wish=ARCHIVE, held=True
    )

    drawn = service.sketch_import(found, service.reading_of(session, found), None)

    assert {"json": 1, "md": 1, "png": 2} == drawn.files
    assert ["one.png", "pictures/two.png"] == [row.external_id for row in drawn.rows]
    assert (None, 0) == (drawn.fault, found.images_added)
    assert isinstance(found.id, UUID)


def test_marks_of_lines_are_known_again(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make.draft(session, lab)
    rows = [make.line(f"r{n}") for n in range(10)]
    first = started(session, lab, job, b"\n".join(rows[:6]) + b"\n")
    read_whole(session, first, chunk_rows=2)

    changed = [*rows[:2], make.line("new"), *rows[3:]]
    second = started(session, lab, job, b"\n".join(changed) + b"\n")
    turns = read_whole(session, second, chunk_rows=2)

    assert (10, 5, 5, 0) == (second.rows_read, second.accepted, second.duplicates, second.rejected)
    assert turns >= 4
