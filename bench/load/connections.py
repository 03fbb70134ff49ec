"""A client that asks as fast as it is answered: one process, many connections kept open.

It parses no more of an answer than it must (status and length), so that on a machine of few cores
most of the time is left to the server.
"""

from __future__ import annotations

import re
import selectors
import socket
import time
from dataclasses import dataclass, field

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
RECEIVED_BYTES = 65_536
HEAD_END = b"\r\n\r\n"
SILENT_SECONDS = 10.0


@dataclass(slots=True)
class Answers:
    """What came back: the milliseconds of each answer, and how many were not a 200."""

    seconds: float
    milliseconds: list[float] = field(default_factory=list)
    failed: int = 0

    def add(self, more: Answers) -> None:
        """Count another turn in."""
        self.seconds += more.seconds
        self.milliseconds += more.milliseconds
        self.failed += more.failed

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.milliseconds) / self.seconds

    def percentile(self, share: float) -> float:
        """The milliseconds that `share` per cent of the answers stayed within."""
        ordered = sorted(self.milliseconds)
        return ordered[min(int(len(ordered) * share / 100), len(ordered) - 1)] if ordered else 0.0


@dataclass(slots=True, eq=False)
class Line:
    """One connection, with the request under way."""

    wire: socket.socket
    asked_at: float = 0.0
    received: bytes = b""

    def complete(self) -> bool:
        """Whether the whole answer is here."""
        head, end, body = self.received.partition(HEAD_END)
        if not end:
            return False
        length = LENGTH.search(head)
        return length is not None and len(body) >= int(length.group(1))


def ask(port: int, path: str, connections: int, seconds: float) -> Answers:
    """GET a path over and over on some connections for some seconds; count and time answers."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    selector = selectors.DefaultSelector()
    lines = [Line(socket.create_connection(("127.0.0.1", port))) for _ in range(connections)]
    answers = Answers(seconds)
    try:
        for line in lines:
            line.wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(line.wire, selectors.EVENT_READ, line)
            _send(line, request)
        ends = time.perf_counter() + seconds
        while (now := time.perf_counter()) < ends:
            ready = selector.select(min(ends - now, SILENT_SECONDS))
            for key, _ in ready:
                _receive(key.data, request, answers)
    finally:
        selector.close()
        for line in lines:
            line.wire.close()
    return answers


def _send(line: Line, request: bytes) -> None:
    line.received = b""
    line.asked_at = time.perf_counter()
    line.wire.sendall(request)


def _receive(line: Line, request: bytes, answers: Answers) -> None:
    chunk = line.wire.recv(RECEIVED_BYTES)
    if not chunk:
        raise ConnectionError("The server closed a connection that was to stay open.")
    line.received += chunk
    if not line.complete():
        return
    answers.milliseconds.append((time.perf_counter() - line.asked_at) * 1000)
    if not line.received.startswith(b"HTTP/1.1 200"):
        answers.failed += 1
    _send(line, request)
