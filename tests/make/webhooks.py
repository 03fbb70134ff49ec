"""Webhooks, and a server that takes them: what it got, and what it answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session
from standardwebhooks import Webhook

from marketplace import outbox
from marketplace import settings as settings_here
from marketplace.actor import Actor
from marketplace.delivery.models import WebhookEndpoint
from marketplace.delivery.service import webhook_wishes, webhooks
from marketplace.ids import new_id
from marketplace.worker.courier import Courier

Says = Callable[["Got"], "Answer"]


@dataclass(frozen=True)
class Got:
    """One request as it came. headers: names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def content(self, secret: str) -> dict[str, Any]:
        """What it says, checked with the official library; raises where no signature fits."""
        found: dict[str, Any] = Webhook(secret).verify(self.body, self.headers)
        return found


@dataclass(frozen=True)
class Answer:
    """What the server says, after so many seconds."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0


@dataclass
class Receiver:
    """The server. says: what it answers, which a test may change while it runs."""

    address: str
    got: list[Got] = field(default_factory=list)
    says: Says = lambda _: Answer()

    def ids(self) -> list[str]:
        return [each.id for each in self.got]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Serve on loopback, and let webhooks go there while the block runs."""
    found = Receiver("")

    class Taker(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            got = Got(self.path, headers, body)
            found.got.append(got)
            answer = found.says(got)
            time.sleep(answer.seconds)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.status != 204:
                self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taker)
    found.address = f"http://127.0.0.1:{server.server_port}"
    before = settings_here.current()
    settings_here.use(replace(before, webhook_sandbox_base=found.address))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield found
    finally:
        settings_here.use(before)
        server.shutdown()
        server.server_close()


def webhook(session: Session, lab: Actor, url: str, *kinds: str) -> WebhookEndpoint:
    """An endpoint that is told from now on."""
    return webhooks.create_webhook(session, lab, url=url, kinds=kinds)


def belongings(session: Session, lab: Actor) -> dict[str, Any]:
    """Ids of a webhook, of an event and of a delivery, as addresses name them."""
    hook = webhook(session, lab, "https://example.com/hook")
    event_id = told(session, lab)
    made = webhook_wishes.send_test(session, lab, hook.id)
    return {"hook_id": hook.id, "event_id": event_id, "delivery_id": made.id}


def told(session: Session, lab: Actor, kind: str = "job.created", **facts: Any) -> UUID:
    """A fact of a lab, announced and numbered; its event's id."""
    event = outbox.fact(kind, new_id(), facts, organisation_id=lab.organisation_id)
    session.add(event)
    session.flush()
    outbox.number_events(session)
    return event.id


def carried(courier: Courier | None = None, *, rounds: int = 2) -> None:
    """Let a courier do all that is due, and record it."""
    own = courier or Courier()
    for _ in range(rounds):
        while own.step():
            own.finish()
    if courier is None:
        own.stop()
