"""The client against a served application: a lab's story, and a specialist's."""

from __future__ import annotations

import asyncio
import hashlib
import io
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from redis import Redis
from sqlalchemy import Engine
from werkzeug.serving import make_server

from marketplace.client import (
    AsyncClient,
    Client,
    Invalid,
    LaterVersion,
    Money,
    NotConfigured,
    NotSignedIn,
    TimedOut,
)
from marketplace.client.shapes.work import Claim, NoClaim
from marketplace.db import transaction
from marketplace.factory import create_app
from marketplace.identity import service as identity_service
from marketplace.jobs.models import Job
from marketplace.money import Money as ServedMoney
from marketplace.settings import Settings
from marketplace.verify import verify
from tests.make import identity, jobs, specialists
from tests.make import work as make
from tests.make.background import number_facts, run_all

PAY = Money(450, "USD")
ITEMS = 5
JOB = {
    "title": "Which answer is safer?",
    "task_type": "pairwise",
    "instructions_md": "Prefer the answer that a colleague could act on.",
    "pay": PAY,
}


@pytest.fixture
def address(committed: Engine, settings: Settings, redis: Redis) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, create_app(settings), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def token(committed: Engine) -> str:
    with transaction() as session:
        lab = identity.lab_owner(session)
        make.money_in(session, lab, ServedMoney(100_00, "USD"))
        _, plain = identity_service.create_token(session, lab, name="tests")
    return plain


def test_a_lab_from_draft_to_file(address: str, token: str, tmp_path: Path) -> None:
    file = tmp_path / "items.jsonl"
    file.write_bytes(b"\n".join([*jobs.lines(ITEMS), b"not json", *jobs.lines(1)]))
    arrived: list[int] = []
    read: list[tuple[int, int]] = []
    with Client(address, token) as client:
        job = client.jobs.create(JOB, title="Which is safer?")
        report = client.items.add(job.id, file, piece_bytes=400, progress=arrived.append)
        again = job.add_items(line.decode() for line in jobs.lines(ITEMS))
        plan = job.plan()
        opened = job.publish()
        with ThreadPoolExecutor(1) as aside:
            waiting = aside.submit(opened.wait, "completed", timeout=20)
            _answered(UUID(job.id), ITEMS)
            for each in job.submissions():
                client.submissions.decide(each.id, verdict="accept")
            number_facts()
            completed = waiting.result(30)
        with pytest.raises(TimedOut):
            job.wait("paused", timeout=0)
        export = client.exports.create(job.id, "raw", "all")
        run_all()
        done = export.wait(timeout=5, progress=lambda *at: read.append(at))
        place = done.download(tmp_path, proof=True)
        assert client.balance().reserved.currency == plan.price.currency
        with pytest.raises(Invalid) as refused:
            client.jobs.create({"title": "No type"})
        with Client(address, "mkt_nothing") as stranger, pytest.raises(NotSignedIn):
            stranger.me()
        kinds = [event.kind for event in client.events.list(job_id=job.id)]

    wrong = [each["line"] for each in report.rejected]
    assert (ITEMS, 1, [6]) == (report.accepted, report.duplicates, wrong)
    assert (0, ITEMS) == (again.accepted, again.duplicates)
    assert file.stat().st_size + 1 == arrived[-1]
    assert (ITEMS, "Which is safer?", "open") == (plan.tasks, opened.title, completed.state)
    assert "specialists eligible now" in str(plan)
    assert isinstance(plan.time_to_fill[0], timedelta | None)
    assert done.sha256 == hashlib.sha256(place.read_bytes()).hexdigest()
    assert (ITEMS, ITEMS) == (done.rows, len(place.read_bytes().splitlines()))
    assert read[-1][0] == read[-1][1]
    assert {"job.created", "job.published", "task.accepted"} <= set(kinds)
    assert verify(place).ok
    fault = refused.value
    told = (fault.status, fault.code, [pointer for pointer, _ in fault.faults])
    assert (422, "faulty_input", ["/task_type"]) == told
    assert isinstance(done.created_at, datetime)


def test_a_specialist_from_feed_to_statement(address: str, token: str) -> None:
    with Client(address, token) as lab:
        job = lab.jobs.create(JOB)
        job.add_items(io.BytesIO(b"\n".join(jobs.lines(2))))
        job.publish()
    with transaction() as session:
        doctor = specialists.doctor(session)
        _, own = identity_service.create_token(session, doctor, name="tests")

    with Client(address, own) as client:
        offered = list(client.feed())
        lost, kept = [
            client.call(
                "POST", "/claims", json={"job_id": job.id}, headers={"Idempotency-Key": "1"}
            )
            for _ in range(2)
        ]
        assert kept["id"] == lost["id"]  # A second try hands out no second task.
        client.claims.release(kept["id"], fence=kept["fence"])
        claim = client.claims.next(job.id)
        assert isinstance(claim, Claim)
        lease = client.claims.heartbeat(claim.id, fence=claim.fence)
        empty = client.claims.draft(claim.id)
        kept = client.claims.save_draft(
            claim.id, empty.etag, fence=claim.fence, judgement={"choice": "a"}
        )
        with pytest.raises(LaterVersion):
            client.claims.save_draft(claim.id, empty.etag, fence=claim.fence, judgement={})
        given = client.claims.submit(
            claim.id, fence=claim.fence, judgement={"choice": "a", "strength": 1}, next=True
        )
        assert given.claim is not None
        client.claims.release(given.claim.id, given.claim.fence)
        again = client.claims.next()
        assert isinstance(again, Claim)
        client.claims.outcome(
            again.id, fence=again.fence, kind="cannot_complete", evidence="There is no answer b."
        )
        none = client.claims.next(job.id)
        earned = list(client.statement())

    assert (job.id, PAY) == (offered[0].job_id, offered[0].pay)
    assert lease.expires_at > given.submission.submitted_at
    assert ("0", "1") == (empty.etag.strip('"'), kept.etag.strip('"'))
    assert (claim.task.id, PAY) == (given.submission.task_id, given.submission.pay)
    assert isinstance(none, NoClaim)
    assert [] == earned


def test_the_same_awaited(address: str, token: str, tmp_path: Path) -> None:
    async def lines() -> AsyncIterator[bytes]:
        for line in jobs.lines(3):
            yield line

    async def story() -> tuple[int, str, bytes, list[str]]:
        async with AsyncClient(address, token) as client:
            job = await client.jobs.create(JOB)
            report = await job.add_items(lines())
            opened = await job.publish()
            export = await client.exports.create(job.id, "raw", "all")
            await asyncio.to_thread(run_all)
            done = await export.wait(timeout=5)
            place = await done.download(tmp_path)
            return (
                report.accepted,
                opened.state,
                place.read_bytes(),
                [each.id async for each in client.jobs.list()],
            )

    accepted, state, content, ids = asyncio.run(story())

    assert (3, "open", b"", 1) == (accepted, state, content, len(ids))


def test_the_environment_configures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARKETPLACE_URL", "https://market.example/api/v1/")
    monkeypatch.setenv("MARKETPLACE_TOKEN", "mk_one\n")
    shared = httpx.Client()
    with Client(http=shared) as client, Client(token="mk_two", http=shared) as other:
        asked = [each._engine.transport.build("GET", "/me") for each in (client, other)]
    shared.close()
    assert ["https://market.example/api/v1/me"] * 2 == [str(each.url) for each in asked]
    told = [each.headers["Authorization"] for each in asked]
    assert ["Bearer mk_one", "Bearer mk_two"] == told
    monkeypatch.delenv("MARKETPLACE_TOKEN")
    with pytest.raises(NotConfigured, match="There is no token"):
        Client()


@pytest.mark.parametrize(
    "url", ["nowhere", "ftp://x", "http://[::1", "http://x:99999", "http://a b"]
)
def test_what_is_no_address_is_told_at_once(url: str) -> None:
    with pytest.raises(NotConfigured, match="is no address"):
        Client(url, "t")


@pytest.mark.parametrize("token", ["mkt_a\nb", "mkt_é", "mkt a"])
def test_what_is_no_token_is_told_at_once_and_not_shown(token: str) -> None:
    with pytest.raises(NotConfigured, match="no token") as told:
        Client("http://127.0.0.1:9", token)

    assert token not in str(told.value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:9", "SOCKS"),
        ("HTTP_PROXY", "nonsense://127.0.0.1:9", "The proxy"),
        ("SSL_CERT_FILE", "/nowhere/at-all.pem", "certificates"),
    ],
)
def test_settings_of_the_machine_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(NotConfigured, match=words):
        Client("https://market.example", "t")


ALONE = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        ours = top == "marketplace" and name != top and not name.startswith("marketplace.client")
        if ours or top in {"flask", "sqlalchemy", "marshmallow", "redis", "orjson", "click"}:
            raise ImportError(name)
sys.meta_path.insert(0, Blocked())
from marketplace.client import AsyncClient, Client
Client("http://127.0.0.1:9", "t").close()
"""


def test_the_client_stands_alone() -> None:
    ran = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=False)

    assert (0, "") == (ran.returncode, ran.stderr)


def _answered(job_id: UUID, times: int) -> None:
    """Somebody answers so many tasks of a job, and what that causes happens."""
    with transaction() as session:
        doctor = specialists.doctor(session)
        for _ in range(times):
            make.submitted(session, doctor, session.get_one(Job, job_id))
    number_facts()
