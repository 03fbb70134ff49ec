"""Mail: written as a row with the deed that caused it, sent by the relay; SMTP or a mailbox folder.

The address and the text are encrypted in the row and erased once the message has gone.
"""

from __future__ import annotations

import smtplib
import ssl
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit
from uuid import UUID

import structlog
from jinja2 import Environment
from sqlalchemy.orm import Mapped, Session, mapped_column

from marketplace import clock, outbox
from marketplace.db import IdKey, Root, outside_transaction, transaction
from marketplace.errors import GatewayError
from marketplace.ids import new_id
from marketplace.secrets import EncryptedText


class MailFailed(GatewayError):
    """The mail server did not take the message."""


class Message(Root):
    """One message; `to`, `subject` and `body` are emptied when it has gone or was given up."""

    __tablename__ = "mail_message"
    id: Mapped[IdKey]
    template: Mapped[str]
    to: Mapped[str | None] = mapped_column(EncryptedText)
    subject: Mapped[str | None] = mapped_column(EncryptedText)
    body: Mapped[str | None] = mapped_column(EncryptedText)
    written_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class Carrier(Protocol):
    """Something that takes a message away."""

    def carry(self, message: EmailMessage) -> None:
        """Send it; MailFailed when that did not work."""


LOOPBACK = frozenset({None, "localhost", "127.0.0.1", "::1"})
# Who has not taken a message by then never will, and the links in it have run out.
GIVEN_UP_AFTER = timedelta(days=3)
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Smtp:
    """A mail server, from `smtp://user:password@host:587` (STARTTLS where offered) or `smtps://`."""

    url: str

    @outside_transaction
    def carry(self, message: EmailMessage) -> None:
        """As the protocol says."""
        parts = urlsplit(self.url)
        try:
            with self._connected() as server:
                sealed = parts.scheme == "smtps"
                if not sealed and server.has_extn("starttls"):
                    server.starttls(context=ssl.create_default_context())
                    server.ehlo()
                    sealed = True
                if parts.username:
                    if not sealed and parts.hostname not in LOOPBACK:
                        raise MailFailed("The mail server offers no TLS: no password is sent.")
                    server.login(unquote(parts.username), unquote(parts.password or ""))
                server.send_message(message)
        except (OSError, smtplib.SMTPException) as failed:
            raise MailFailed(f"The mail server failed: {type(failed).__name__}.") from failed

    def _connected(self) -> smtplib.SMTP:
        parts = urlsplit(self.url)
        host = parts.hostname or "localhost"
        server: smtplib.SMTP
        if parts.scheme == "smtps":
            context = ssl.create_default_context()
            server = smtplib.SMTP_SSL(host, parts.port or 465, timeout=20, context=context)
        else:
            server = smtplib.SMTP(host, parts.port or 587, timeout=20)
        server.ehlo()
        return server


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A folder with one .eml file for each message; the sandbox shows it as a page."""

    folder: Path

    def carry(self, message: EmailMessage) -> None:
        """Write the file whole or not at all; the message's own id names it, so twice is once."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=self.folder, suffix=".part", delete=False) as out:
            out.write(message.as_bytes())
        Path(out.name).replace(self.folder / f"{message['X-Message-Id']}.eml")


class _Here:
    carrier: Carrier | None = None
    sender: str = ""
    templates: Environment | None = None
    links: str = ""


def use(carrier: Carrier, *, sender: str, templates: Environment, public_url: str) -> None:
    """Set how this process renders and sends mail. templates: `mail/<name>.txt`."""
    _Here.carrier, _Here.sender, _Here.templates = carrier, sender, templates
    _Here.links = public_url.rstrip("/")


def carrier_of(smtp_url: str, mailbox_dir: str) -> Carrier:
    """SMTP where it is set, else the mailbox folder."""
    return Smtp(smtp_url) if smtp_url else Mailbox(Path(mailbox_dir))


def send(session: Session, *, to: str, template: str, **facts: Any) -> UUID:
    """Write a message in this transaction; the relay sends it after the commit.

    The template's first line is the subject, an empty line follows, then the text;
    it sees `facts` and `public_url`.
    """
    if _Here.templates is None:
        raise RuntimeError("mail.use() has not been called.")
    text = _Here.templates.get_template(f"mail/{template}.txt").render(
        **facts, public_url=_Here.links
    )
    subject, _, body = text.partition("\n")
    row = Message(
        id=new_id(),
        template=template,
        to=to,
        subject=" ".join(subject.split()),
        body=body.strip() + "\n",
        written_at=clock.now(),
    )
    session.add(row)
    outbox.enqueue(session, "mail.deliver", message_id=row.id)
    return row.id


@outbox.background("mail.deliver", time_limit_seconds=60)
def deliver(work: outbox.Work, message_id: str) -> None:
    """Send one message and erase its text; a second run after a crash may send it twice.

    What no server has taken within three days is given up, and its text erased all the same.
    """
    with transaction() as session:
        row = session.get(Message, UUID(message_id))
        open_still = row is not None and row.sent_at is None and row.to is not None
        letter = _letter(row) if row is not None and open_still else None
        is_old = row is not None and clock.now() - row.written_at > GIVEN_UP_AFTER
    gone = letter is None or _gone(letter, is_old=is_old)
    with transaction() as session:
        row = session.get(Message, UUID(message_id))
        if row is not None and row.to is not None:
            row.sent_at = clock.now() if gone else None
            row.to = row.subject = row.body = None
        outbox.done(session, work)


def _gone(letter: EmailMessage, *, is_old: bool) -> bool:
    """Whether the letter went out; an old one that fails is given up instead of tried again."""
    if _Here.carrier is None:
        raise RuntimeError("mail.use() has not been called.")
    try:
        _Here.carrier.carry(letter)
    except MailFailed:
        if not is_old:
            raise
        log.warning("mail_given_up", message_id=letter["X-Message-Id"])
        return False
    return True


def _letter(row: Message) -> EmailMessage:
    letter = EmailMessage()
    letter["From"] = _Here.sender
    letter["To"] = row.to or ""
    letter["Subject"] = row.subject or ""
    letter["Date"] = format_datetime(row.written_at)
    letter["X-Message-Id"] = str(row.id)
    # The same for a second try, so that who gets both can tell.
    domain = parseaddr(_Here.sender)[1].rpartition("@")[2] or "localhost"
    letter["Message-ID"] = f"<{row.id}@{domain}>"
    letter.set_content(row.body or "")
    return letter
