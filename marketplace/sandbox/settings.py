"""Settings of the sandbox, read from the environment, with all their faults reported at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from marketplace.settings import SettingsFaulty

DEFAULT_PORT = 8010


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """What the sandbox needs to run.

    port: 0 takes a free one; public_url: the address that people's browsers use, "" for the bound
    one; webhook_url: where deliveries go, None for nowhere but registered endpoints; mailbox: the
    folder of `.eml` files or None; seed: makes ids repeatable, None makes them random.
    """

    database_url: str
    secret_key: str
    webhook_secret: str
    webhook_url: str | None
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    public_url: str = ""
    mailbox: Path | None = None
    seed: int | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> SandboxSettings:
        """Read every setting; raise SettingsFaulty with all that is missing or wrong."""
        faults: list[str] = []
        mailbox = environ.get("MAILBOX_DIR")
        settings = cls(
            database_url=_needed(environ, "SANDBOX_DATABASE_URL", faults),
            secret_key=_test_key(environ, faults),
            webhook_secret=_needed(environ, "STRIPE_WEBHOOK_SECRET", faults),
            webhook_url=_webhook_url(environ, faults),
            host=environ.get("SANDBOX_HOST") or "127.0.0.1",
            port=_whole(environ, "SANDBOX_PORT", faults, default=DEFAULT_PORT) or 0,
            public_url=_url(environ, "SANDBOX_PUBLIC_URL", faults).rstrip("/"),
            mailbox=Path(mailbox) if mailbox else None,
            seed=_whole(environ, "SANDBOX_SEED", faults, default=None),
        )
        if faults:
            raise SettingsFaulty(faults)
        return settings


def _needed(environ: Mapping[str, str], name: str, faults: list[str]) -> str:
    value = environ.get(name, "").strip()
    if not value:
        faults.append(f"{name} is not set: the sandbox cannot run without it.")
    return value


def _test_key(environ: Mapping[str, str], faults: list[str]) -> str:
    key = _needed(environ, "STRIPE_SECRET_KEY", faults)
    if key and not key.startswith("sk_test_"):
        faults.append("STRIPE_SECRET_KEY must start with sk_test_: the sandbox takes no live key.")
    return key


def _url(environ: Mapping[str, str], name: str, faults: list[str]) -> str:
    value = environ.get(name, "")
    if value and urlsplit(value).scheme not in {"http", "https"}:
        faults.append(f"{name} must be a URL that starts with http:// or https://.")
    return value


def _webhook_url(environ: Mapping[str, str], faults: list[str]) -> str | None:
    explicit = _url(environ, "WEBHOOK_URL", faults)
    public = _url(environ, "PUBLIC_URL", faults)
    return explicit or (f"{public.rstrip('/')}/webhooks/stripe" if public else None)


def _whole(
    environ: Mapping[str, str], name: str, faults: list[str], *, default: int | None
) -> int | None:
    text = environ.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit()):
        faults.append(f"{name} must be a whole number.")
        return default
    return int(text)
