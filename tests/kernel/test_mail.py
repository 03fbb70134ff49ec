"""Mail goes with the deed that caused it, once, and leaves no text behind."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

import pytest
from jinja2 import DictLoader, Environment, StrictUndefined
from sqlalchemy import Engine, select

from marketplace import clock, factory, mail, outbox
from marketplace.db import transaction
from marketplace.mail import Carrier, Mailbox, MailFailed, Message, Smtp
from marketplace.settings import Settings
from marketplace.worker.perform import perform

TEMPLATES = {
    "mail/greet.txt": "Hello   {{ name }}\n\nCome to {{ public_url }}/door\n",
    "mail/plain.txt": "Only a subject",
}
ADDRESS = "ana@example.org"


class Server(socketserver.ThreadingTCPServer):
    """A mail server that keeps what it takes. `refusal` answers every recipient, if set."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, host: str = "127.0.0.1") -> None:
        super().__init__((host, 0), Conversation)
        self.taken: list[bytes] = []
        self.said: list[str] = []
        self.refusal = b""

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self.server_address[:2]
        return f"smtp://{host!s}:{port}"


class Conversation(socketserver.StreamRequestHandler):
    """SMTP, as far as one message needs it."""

    server: Server

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            self.server.said.append(line.decode().strip())
            verb = line[:4].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.taken.append(b"".join(lines))
            elif verb == b"EHLO":
                self.wfile.write(b"250-here\r\n250-AUTH PLAIN\r\n")
            elif verb == b"RCPT" and self.server.refusal:
                self.wfile.write(self.server.refusal)
                continue
            elif verb == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            self.wfile.write(b"235 ok\r\n" if verb == b"AUTH" else b"250 ok\r\n")


@pytest.fixture(params=["127.0.0.1"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A mail server on loopback."""
    with Server(request.param) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def former(kept: Engine, settings: Settings) -> Iterator[None]:
    """What this process sends mail with is set back afterwards."""
    before = vars(mail._Here).copy()
    yield
    for name in ("carrier", "sender", "templates", "links"):
        setattr(mail._Here, name, before[name])


def use(carrier: Carrier) -> None:
    mail.use(
        carrier,
        sender="Us <us@market.example>",
        templates=Environment(  # noqa: S701 - Mail is plain text.
            loader=DictLoader(TEMPLATES), undefined=StrictUndefined
        ),
        public_url="https://market.example/",
    )


def send(template: str = "greet", **facts: str) -> UUID:
    with transaction() as session:
        return mail.send(session, to=ADDRESS, template=template, **facts)


def deliver() -> list[str | None]:
    """Do what is due; the errors of what is not done."""
    with transaction() as session:
        leased = outbox.lease_due(session)
    for work in leased:
        perform(str(work.id))
    with transaction() as session:
        rows = select(outbox.OutboxRow.last_error).where(outbox.OutboxRow.done_at.is_(None))
        return list(session.scalars(rows))


def row_of(message_id: UUID) -> Message:
    with transaction() as session:
        row = session.get(Message, message_id)
        assert row is not None
        return row


def texts(row: Message) -> list[str | None]:
    return [row.to, row.subject, row.body]


def test_a_message_is_written_with_the_deed_and_goes_after_it(tmp_path: Path) -> None:
    use(Mailbox(tmp_path / "box"))
    message_id = send(name="Ana\n Ünal")
    assert [ADDRESS, "Hello Ana", "Ünal\n\nCome to https://market.example/door\n"] == texts(
        row_of(message_id)
    )
    assert [] == deliver()
    (file,) = (tmp_path / "box").iterdir()
    letter = message_from_bytes(file.read_bytes(), policy=policy.default)

    assert f"{message_id}.eml" == file.name
    assert 0o600 == file.stat().st_mode & 0o777
    assert [ADDRESS, "Us <us@market.example>", f"<{message_id}@market.example>"] == [
        letter["To"], letter["From"], letter["Message-ID"],
    ]  # fmt: skip
    assert "Come to https://market.example/door" in letter.get_content()


def test_the_text_is_erased_when_it_has_gone(tmp_path: Path) -> None:
    use(Mailbox(tmp_path))
    message_id = send(name="Ana")
    deliver()
    row = row_of(message_id)

    assert [None, None, None] == texts(row)
    assert row.sent_at is not None
    assert "greet" == row.template


def test_a_deed_that_fails_sends_nothing(tmp_path: Path) -> None:
    use(Mailbox(tmp_path))
    with transaction() as session:
        mail.send(session, to=ADDRESS, template="greet", name="Ana")
        session.rollback()

    assert [] == deliver()
    assert [] == list(tmp_path.iterdir())


def test_a_template_that_lacks_a_fact_is_our_fault(tmp_path: Path) -> None:
    use(Mailbox(tmp_path))
    with pytest.raises(Exception, match="name"):
        send()


def test_mail_goes_by_smtp(server: Server) -> None:
    use(Smtp(server.url))
    send("plain")
    assert [] == deliver()
    (taken,) = server.taken

    assert f"rcpt TO:<{ADDRESS}>" in server.said
    assert "Only a subject" == message_from_bytes(taken, policy=policy.default)["Subject"]


def test_a_name_and_password_are_given_on_this_machine(server: Server) -> None:
    use(Smtp(server.url.replace("smtp://", "smtp://u%40x:p%3Aw@")))
    send("plain")

    assert [] == deliver()
    assert any(said.startswith("AUTH PLAIN") for said in server.said)


# An address of loopback that is not on the list stands for a server elsewhere.
@pytest.mark.parametrize("server", ["127.0.0.2"], indirect=True)
def test_no_password_goes_elsewhere_without_tls(server: Server) -> None:
    with pytest.raises(MailFailed, match="TLS"):
        Smtp(server.url.replace("smtp://", "smtp://u:p@")).carry(EmailMessage())

    assert not any(said.upper().startswith("AUTH") for said in server.said)


def test_a_server_that_is_away_or_refuses_is_asked_again(server: Server) -> None:
    use(Smtp(server.url))
    server.refusal = b"451 later\r\n"
    message_id = send(name="Ana")
    assert ["MailFailed"] == deliver()
    assert [ADDRESS, "Hello Ana"] == texts(row_of(message_id))[:2]

    server.refusal = b""
    with clock.shifted(timedelta(minutes=5)):
        assert [] == deliver()
    assert 1 == len(server.taken)


def test_a_message_that_nobody_takes_is_given_up_and_erased(server: Server) -> None:
    use(Smtp(server.url))
    server.refusal = b"550 no such person\r\n"
    message_id = send(name="Ana")
    with clock.shifted(mail.GIVEN_UP_AFTER - timedelta(minutes=1)):
        assert ["MailFailed"] == deliver()
    with clock.shifted(mail.GIVEN_UP_AFTER + timedelta(days=1)):
        assert [] == deliver()

    assert [None, None, None] == texts(row_of(message_id))
    assert row_of(message_id).sent_at is None


def test_delivering_twice_sends_once(server: Server) -> None:
    use(Smtp(server.url))
    message_id = send("plain")
    deliver()
    with transaction() as session:
        outbox.enqueue(session, "mail.deliver", message_id=message_id)
    assert [] == deliver()

    assert 1 == len(server.taken)


def test_a_server_is_chosen_where_one_is_named() -> None:
    assert Smtp("smtp://mail") == mail.carrier_of("smtp://mail", "/box")
    assert Mailbox(Path("/box")) == mail.carrier_of("", "/box")


def test_every_template_begins_with_a_subject_and_an_empty_line() -> None:
    folder = factory.templates_folder() / "mail"
    odd = [
        path.name
        for path in sorted(folder.glob("*.txt"))
        if len(lines := path.read_text(encoding="utf-8").splitlines()) < 3
        or not lines[0].strip()
        or lines[1].strip()
    ]

    assert [] == odd
