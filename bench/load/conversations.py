"""Specialists who claim and hand in over HTTP, all in one process, each on a connection of its own.

A conversation goes on where it stopped: a specialist's last claim is handed in when the next turn
begins. Of an answer no more is read than the next claim's id and fence.
"""

from __future__ import annotations

import re
import selectors
import socket
import time
from dataclasses import dataclass, field

from bench.load.connections import RECEIVED_BYTES, SILENT_SECONDS, Answers, Line

# The next claim stands in the answer with its fence beside its id; a submission has no fence.
CLAIM = re.compile(rb'"fence": ?(\d+)')
CLAIM_ID = re.compile(rb'"claim": ?\{.*?"id": ?"([0-9a-f-]{36})"', re.DOTALL)
LONE_ID = re.compile(rb'"id": ?"([0-9a-f-]{36})"')
JUDGEMENT = b'"judgement":{"choice":"a","strength":2}'
SECOND = 1_000.0


@dataclass(slots=True)
class Specialist:
    """Somebody with a token, the job they work in, and the claim in their hands."""

    token: str
    job_id: str | None
    claim: tuple[str, int] | None = None
    handed_in: int = 0
    idle: bool = False

    def request(self) -> bytes:
        """Claim the first task, or hand in the one in hand and ask for the next."""
        if self.claim is None:
            wanted = f'{{"job_id":"{self.job_id}"}}' if self.job_id else "{}"
            return self._post("/api/v1/claims", wanted.encode())
        claim_id, fence = self.claim
        body = b'{"fence":%d,%s,"next":true}' % (fence, JUDGEMENT)
        return self._post(f"/api/v1/claims/{claim_id}/submission", body)

    def _post(self, path: str, body: bytes) -> bytes:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def answered(self, answer: bytes) -> bool:
        """Take in an answer; False when it is not what was asked for."""
        status = answer[9:12]
        if status != b"201":
            self.idle = status == b"200"  # There is no task any more.
            return self.idle
        if self.claim is not None:
            self.handed_in += 1
        found = CLAIM.search(answer)
        if found is None:
            self.claim, self.idle = None, True
            return True
        named = (CLAIM_ID if self.claim is not None else LONE_ID).search(answer)
        if named is None:
            return False
        self.claim = named.group(1).decode(), int(found.group(1))
        return True


@dataclass(slots=True)
class Talk:
    """What one turn of several specialists came to."""

    pairs: Answers
    first_failure: bytes = b""
    handed_in: int = 0
    people: list[Specialist] = field(default_factory=list)


def talk(port: int, people: list[Specialist], seconds: float) -> Talk:
    """Let all of them work for some seconds; what was asked at the end is waited for, uncounted."""
    selector = selectors.DefaultSelector()
    lines = {Line(socket.create_connection(("127.0.0.1", port))): each for each in people}
    found = Talk(Answers(seconds), people=people)
    before = sum(each.handed_in for each in people)
    waiting = 0
    try:
        for line, person in lines.items():
            line.wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(line.wire, selectors.EVENT_READ, (line, person))
            _ask(line, person)
            waiting += 1
        ends = time.perf_counter() + seconds
        while waiting and (ready := selector.select(SILENT_SECONDS)):
            for key, _ in ready:
                line, person = key.data
                if _took(line, person, found) is None:
                    continue
                over = time.perf_counter() >= ends or found.first_failure
                if over or person.idle:
                    waiting -= 1
                else:
                    _ask(line, person)
        if waiting:
            raise TimeoutError(f"{waiting} requests were not answered in {SILENT_SECONDS:g} s.")
    finally:
        selector.close()
        for line in lines:
            line.wire.close()
    found.pairs.seconds += max(0.0, time.perf_counter() - ends)
    found.handed_in = sum(each.handed_in for each in people) - before
    return found


def _ask(line: Line, person: Specialist) -> None:
    line.received = b""
    line.asked_at = time.perf_counter()
    line.wire.sendall(person.request())


def _took(line: Line, person: Specialist, found: Talk) -> bool | None:
    """Read what came; None while more must come. Only pairs are timed, not first claims."""
    chunk = line.wire.recv(RECEIVED_BYTES)
    if not chunk:
        raise ConnectionError("The server closed a connection that was to stay open.")
    line.received += chunk
    if not line.complete():
        return None
    pair = person.claim is not None
    if not person.answered(line.received):
        found.pairs.failed += 1
        found.first_failure = found.first_failure or line.received
        return False
    if pair and not person.idle:
        found.pairs.milliseconds.append((time.perf_counter() - line.asked_at) * SECOND)
    return True
