"""What the client does when the wire fails, against a server that does as it is told."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from marketplace.client import (
    AsyncClient,
    Busy,
    Client,
    Conflict,
    Damaged,
    InsufficientFunds,
    Invalid,
    NotFound,
    ServerFailed,
    TooOften,
    Unreachable,
    engine,
    waiting,
)

FILE = bytes(range(256)) * 40_000
SHA256 = hashlib.sha256(FILE).hexdigest()
EXPORT = {
    "id": "e1",
    "state": "done",
    "filename": "answers.jsonl",
    "bytes": len(FILE),
    "sha256": SHA256,
}
Answer = Callable[["Told"], None]


class Told(BaseHTTPRequestHandler):
    """Answers each request by the next of the script; the last one answers all that follow."""

    protocol_version = "HTTP/1.1"
    script: list[Answer] = []
    seen: list[tuple[str, dict[str, str], bytes]] = []

    def answer(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        told = {name.lower(): value for name, value in self.headers.items()}
        self.seen.append((self.path, told, self.rfile.read(size)))
        (self.script.pop(0) if len(self.script) > 1 else self.script[0])(self)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the library looks for these.

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        told = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        for name, value in (told | {k.replace("_", "-"): v for k, v in headers.items()}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def says(status: int, body: Any, **headers: str) -> Answer:
    return lambda told: told.send(status, json.dumps(body).encode(), **headers)


def breaks(told: Told) -> None:
    told.close_connection = True
    told.connection.close()


def breaks_off(told: Told) -> None:
    """Announces a body and sends a part of it."""
    told.send(200, b'{"id": ', Content_Length="500")
    breaks(told)


def part(upto: int | None = None, *, ranged: bool = True, content: bytes = FILE) -> Answer:
    """The file from where it is wanted, cut off at a place."""

    def answer(told: Told) -> None:
        wanted = told.headers.get("Range", "")
        begin = int(wanted[6:-1]) if ranged and wanted else 0
        size = str(len(content) - begin)
        told.send(206 if begin else 200, content[begin:upto], Content_Length=size)
        if upto is not None:
            breaks(told)

    return answer


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Told]]:
    monkeypatch.setattr(engine, "BACK_OFF_SECONDS", 0.001)
    Told.script, Told.seen = [], []
    with ThreadingHTTPServer(("127.0.0.1", 0), Told) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        Told.address = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
        yield Told
        server.shutdown()


@pytest.fixture
def client(told: Any) -> Iterator[Client]:
    with Client(told.address, "secret-token", tries=4) as made:
        yield made


JOB = says(201, {"id": "j1", "state": "draft", "a_field_of_tomorrow": [1]})
FULL = says(503, {"code": "try_later", "detail": "Later."})
OFTEN = says(429, {"code": "too_often", "detail": "Slower."}, Retry_After="0")
IN_FLIGHT = says(409, {"code": "idempotency_in_flight", "detail": "Running."})


@pytest.mark.parametrize("first", [breaks, breaks_off, FULL, OFTEN, IN_FLIGHT])
def test_a_post_is_tried_again_under_its_key(told: Any, client: Client, first: Answer) -> None:
    told.script = [first, first, JOB]

    job = client.jobs.create(title="One", task_type="pairwise")

    keys = [headers["idempotency-key"] for _, headers, _ in told.seen]
    bodies = {body for _, _, body in told.seen}
    assert ("j1", 3, 1, 1) == (job.id, len(keys), len(set(keys)), len(bodies))
    assert [1] == job["a_field_of_tomorrow"]
    assert "Bearer secret-token" == told.seen[0][1]["authorization"]


def test_it_gives_up_in_words(told: Any, client: Client) -> None:
    told.script = [breaks]
    with pytest.raises(Unreachable, match=r"^http://127.0.0.1:\d+/ does not answer \("):
        client.me()
    told.script = [FULL]
    with pytest.raises(ServerFailed, match="Later"):
        client.me()

    assert 8 == len(told.seen)


def test_what_is_not_safe_is_sent_once(told: Any, client: Client) -> None:
    told.script = [breaks, says(200, {})]

    with pytest.raises(Unreachable):
        client.model_endpoints.test("m1")

    assert 1 == len(told.seen)


def test_waiting_for_an_hour_is_the_callers_business(told: Any, client: Client) -> None:
    told.script = [says(429, {"code": "too_often", "detail": "Slower."}, Retry_After="3600")]

    with pytest.raises(TooOften) as refused:
        client.me()

    assert (3600, 1) == (refused.value.retry_after, len(told.seen))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (409, "insufficient_funds", InsufficientFunds),
        (409, "conflict", Conflict),
        (422, "faulty_input", Invalid),
        (500, "failed", ServerFailed),
    ],
)
def test_refusals_have_kinds(
    told: Any, client: Client, status: int, code: str, kind: type[Exception]
) -> None:
    faults = [{"pointer": "/pay", "message": "Say how much."}]
    told.script = [says(status, {"code": code, "detail": "No.", "errors": faults})]

    with pytest.raises(kind, match=r"^No\.$") as refused:
        client.jobs.publish("j1")

    assert [("/pay", "Say how much.")] == refused.value.faults  # type: ignore[attr-defined]
    assert 1 == len(told.seen)


def test_answers_of_others_are_not_taken_for_the_apis(told: Any, client: Client) -> None:
    told.script = [lambda it: it.send(502, b"<h1>Bad gateway</h1>", Content_Type="text/html")]

    with pytest.raises(ServerFailed, match="HTTP 502 and nothing of the API"):
        client.me()


def test_ids_stay_within_their_place_in_the_path(told: Any, client: Client) -> None:
    told.script = [JOB]

    client.jobs.get("../me?x=1#y")

    assert "/api/v1/jobs/..%2Fme%3Fx%3D1%23y" == told.seen[0][0]
    for nothing in ("", "..", "."):
        with pytest.raises(ValueError, match="names nothing"):
            client.jobs.get(nothing)


def test_an_upload_that_breaks_off_tells_how_far_it_came(told: Any, client: Client) -> None:
    taken = {"accepted": 2, "duplicates": 0, "rows_read": 2, "rows_rejected": 0, "rejected": []}
    told.script = [says(200, taken), breaks]
    seen: list[int] = []

    with pytest.raises(Unreachable, match="does not answer") as lost:
        client.items.add("j1", ({"n": n} for n in range(6)), piece_bytes=20, progress=seen.append)

    assert lost.value.report is not None
    assert (2, 2, [18]) == (lost.value.report.accepted, lost.value.report.lines_sent, seen)
    assert b'{"n": 0}\n{"n": 1}\n' == told.seen[0][2]


def test_a_source_that_breaks_tells_how_far_it_came(told: Any, client: Client) -> None:
    taken = {"accepted": 2, "duplicates": 0, "rows_read": 2, "rows_rejected": 0, "rejected": []}
    told.script = [says(200, taken)]

    def rows() -> Iterator[dict[str, int]]:
        yield from ({"n": n} for n in range(3))
        raise LookupError("The database of the lab is away.")

    with pytest.raises(LookupError) as lost:
        client.items.add("j1", rows(), piece_bytes=20)

    assert ["2 lines had arrived."] == [note[:20] for note in lost.value.__notes__]


@pytest.mark.parametrize("source", [{"payload": {}}, b'{"payload": {}}', [7], [["a"]]])
def test_what_is_no_source_is_told_before_it_is_sent(
    told: Any, client: Client, source: Any
) -> None:
    with pytest.raises(TypeError):
        client.items.add("j1", source)

    assert [] == told.seen


def test_what_a_lost_delete_has_ended_is_ended(told: Any, client: Client) -> None:
    gone = says(404, {"code": "not_found", "detail": "There is no such webhook."})
    told.script = [breaks, gone]
    client.webhooks.delete("w1")
    told.script = [gone]
    with pytest.raises(NotFound):
        client.webhooks.delete("w1")

    assert 3 == len(told.seen)


def test_an_answer_that_cannot_be_unpacked_is_lost(told: Any, client: Client) -> None:
    told.script = [lambda it: it.send(200, b"not gzip", Content_Encoding="gzip"), JOB]

    assert "j1" == client.jobs.create(title="One", task_type="pairwise").id


def test_a_wait_outlives_a_marketplace_that_starts_anew(
    told: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "PAUSE_SECONDS", 0.001)
    running = EXPORT | {"state": "running", "items_read": 1, "items_total": 2}
    told.script = [says(200, running), *[FULL] * 6, says(200, EXPORT)]

    assert "done" == client.exports.wait("e1", timeout=5).state


def test_a_part_of_something_else_is_fetched_anew(
    told: Any, client: Client, tmp_path: Path
) -> None:
    left = tmp_path / f"answers.jsonl.{SHA256[:12]}.part"
    left.write_bytes(b"x" * 1000)
    told.script = [says(200, EXPORT), part()]

    assert FILE == client.exports.download("e1", tmp_path).read_bytes()


def test_two_downloads_do_not_spoil_each_other(told: Any, client: Client, tmp_path: Path) -> None:
    met: list[Exception] = []
    told.script = [says(200, EXPORT), part(), says(200, EXPORT), part()]

    def meanwhile(_here: int, _all: int) -> None:
        if not met:
            told.script.insert(0, says(200, EXPORT))
            with pytest.raises(Busy) as busy:
                client.exports.download("e1", tmp_path)
            met.append(busy.value)

    place = client.exports.download("e1", tmp_path, progress=meanwhile)

    assert (1, FILE) == (len(met), place.read_bytes())


def test_a_download_goes_on_where_it_broke_off(told: Any, client: Client, tmp_path: Path) -> None:
    told.script = [says(200, EXPORT), part(3_000_000), part(7_000_000), FULL, part()]
    seen: list[tuple[int, int]] = []

    place = client.exports.download("e1", tmp_path, progress=lambda *at: seen.append(at))

    ranges = [headers.get("range") for _, headers, _ in told.seen[1:]]
    assert (tmp_path / "answers.jsonl", FILE) == (place, place.read_bytes())
    assert [None, "bytes=3000000-", "bytes=7000000-", "bytes=7000000-"] == ranges
    assert f'"{SHA256}"' == told.seen[2][1]["if-range"]
    assert (len(FILE), len(FILE)) == seen[-1]
    assert [place] == list(tmp_path.iterdir())


def test_another_process_goes_on_with_a_download(told: Any, client: Client, tmp_path: Path) -> None:
    target = tmp_path / "mine.jsonl"
    told.script = [says(200, EXPORT), part(5_000_000), breaks, breaks, breaks, breaks]
    with pytest.raises(Unreachable):
        client.exports.download("e1", target)
    assert not target.exists()

    told.script = [says(200, EXPORT), part()]
    client.exports.download("e1", target)

    assert ("bytes=5000000-", FILE) == (told.seen[-1][1]["range"], target.read_bytes())


def test_a_server_without_ranges_begins_anew(told: Any, client: Client, tmp_path: Path) -> None:
    told.script = [says(200, EXPORT), part(2_000_000), part(ranged=False)]

    assert FILE == client.exports.download("e1", tmp_path / "all").read_bytes()


def test_a_file_that_is_another_one_is_not_kept(told: Any, client: Client, tmp_path: Path) -> None:
    told.script = [says(200, EXPORT), part(content=FILE[:-1] + b"x")]

    with pytest.raises(Damaged):
        client.exports.download("e1", tmp_path)

    assert [] == list(tmp_path.iterdir())


def test_lists_are_iterated_page_by_page(told: Any, client: Client) -> None:
    told.script = [
        says(200, {"items": [{"id": "a"}, {"id": "b"}], "next": "b"}),
        says(200, {"items": [{"id": "c"}], "next": None}),
    ]
    rows = client.jobs.list()

    assert "a" == next(rows).id
    assert 1 == len(told.seen)  # The second page is not asked for before it is needed.
    assert ["b", "c"] == [job.id for job in rows]
    assert "/api/v1/jobs?limit=200&after=b" == told.seen[1][0]


def test_the_same_awaited(told: Any) -> None:
    pages = says(200, {"items": [{"id": "a"}], "next": None})
    told.script = [breaks, JOB, pages, says(200, EXPORT | {"bytes": 3}), FULL]

    async def story() -> tuple[str, list[str]]:
        async with AsyncClient(told.address, "t", tries=2) as client:
            job = await client.jobs.create(title="One", task_type="pairwise")
            return job.id, [each.id async for each in client.jobs.list()]

    assert ("j1", ["a"]) == asyncio.run(story())


def test_a_tail_outlives_its_connection(told: Any, client: Client) -> None:
    event = {"id": "e", "number": 8, "kind": "job.published"}
    told.script = [
        says(200, {"number": 7}),
        *[breaks] * 5,
        says(200, {"items": [event], "next": None, "reached": 8}),
        says(200, {"items": [event | {"number": 9}], "next": None, "reached": 9}),
    ]

    events = client.events.tail(kinds=["job.published"])

    assert [8, 9] == [next(events).number, next(events).number]
    del events
    assert "after=7" in told.seen[1][0]
    assert "after=8" in told.seen[-1][0]
    assert "kinds=job.published" in told.seen[-1][0]
