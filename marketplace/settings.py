"""Settings: environment variables, read once, with all their faults reported together."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# By currency: labels and their texts.
BankAccounts = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


class SettingsFaulty(Exception):
    """The environment cannot be used; `faults` has one sentence for each thing to mend."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable: its meaning for the README's table, how it is read, what it is when unset."""

    name: str
    meaning: str
    read: Callable[[str], Any]
    default: str | None = None
    secret: bool = False


def _url(*schemes: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if urlsplit(text).scheme not in schemes:
            raise ValueError(f"must be a URL that starts with {' or '.join(schemes)}://")
        return text

    return read


def _storage(text: str) -> str:
    parts = urlsplit(text)
    known = parts.scheme == "file" or (parts.scheme == "s3" and parts.netloc)
    if "://" in text and not known:
        raise ValueError("must be a folder or s3://bucket/prefix")
    return text


def _key(text: str) -> str:
    if len(text) < 32:
        raise ValueError("must have at least 32 characters")
    return text


def _fernet_keys(text: str) -> tuple[str, ...]:
    keys = tuple(part.strip() for part in text.split(",") if part.strip())
    for key in keys:
        try:
            size = len(base64.urlsafe_b64decode(key))
        except (binascii.Error, ValueError):
            size = 0
        if size != 32:
            raise ValueError("must be URL-safe base64 of 32 bytes each, newest first, by commas")
    if not keys:
        raise ValueError("must name at least one key")
    return keys


def _networks(text: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in text.split(",") if part.strip())
    for part in parts:
        try:
            ip_network(part)
        except ValueError:
            raise ValueError(f"must list networks such as 10.0.0.0/8; {part!r} is none") from None
    return parts


def _endpoints(text: str) -> tuple[str, ...]:
    parts = tuple(part.strip().rstrip("/") for part in text.split(",") if part.strip())
    for part in parts:
        address = urlsplit(part)
        plain = not address.path and not address.query and "@" not in address.netloc
        known = address.scheme in {"http", "https"} and address.hostname and plain
        if part not in {"aws", "none"} and not known:
            raise ValueError(
                f"must list aws or addresses such as https://s3.eu.org; {part!r} is none"
            )
    return tuple(part for part in parts if part != "none")


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("must be an IANA zone such as UTC or Europe/Berlin") from None
    return text


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return read


def _amounts(text: str) -> tuple[tuple[str, int], ...]:
    found = []
    for part in text.split(","):
        amount = re.fullmatch(r"\s*([A-Z]{3})=([0-9]{1,10})\s*", part, re.ASCII)
        if amount is None:
            raise ValueError(f"must list minor units by currency, as JPY=1500; {part!r} is none")
        found.append((amount[1], int(amount[2])))
    return tuple(found)


def _switch(text: str) -> bool:
    if text not in {"0", "1"}:
        raise ValueError("must be 0 or 1")
    return text == "1"


def _text(text: str) -> str:
    return text


def _country(text: str) -> str:
    if len(text) != 2 or not text.isascii() or not text.isupper():
        raise ValueError("must be the two letters of a country, such as IE")
    return text


def _bank_accounts(text: str) -> BankAccounts:
    """What a payer needs for a transfer, by currency: labels and their texts, in order."""
    if not text:
        return ()
    try:
        found = tuple((code, tuple(lines.items())) for code, lines in json.loads(text).items())
    except (AttributeError, ValueError):
        found = (("", ()),)
    words = [word for _, lines in found for line in lines for word in line]
    if any(len(code) != 3 for code, _ in found) or not all(isinstance(w, str) for w in words):
        raise ValueError('must be JSON such as {"EUR": {"Account holder": "…", "IBAN": "…"}}')
    return found


def _level(text: str) -> str:
    if text not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
    return text


_POSTGRES = _url("postgresql", "postgresql+psycopg", "postgres")
TABLE = (
    Setting("DATABASE_URL", "PostgreSQL, as the unprivileged role `app`", _POSTGRES, secret=True),
    Setting("OWNER_DATABASE_URL", "the same database as its owner; migrations only", _POSTGRES, ""),
    Setting("REDIS_URL", "Redis for background work and rate limits", _url("redis", "rediss")),
    Setting("SECRET_KEY", "signs cookies and form tokens", _key, secret=True),
    Setting(
        "ENCRYPTION_KEYS", "encrypts columns; newest first, all decrypt", _fernet_keys, secret=True
    ),
    Setting("PSEUDONYM_KEY", "derives the pseudonyms that each lab sees", _key, secret=True),
    Setting(
        "SIGNING_KEYS",
        "Ed25519 seeds that sign proofs; newest first, all are published",
        _fernet_keys,
        secret=True,
    ),
    Setting("STRIPE_SECRET_KEY", "the platform's Stripe key", _text, secret=True),
    Setting(
        "STRIPE_API_BASE", "another address for Stripe: the sandbox", _url("http", "https"), ""
    ),
    Setting("STRIPE_WEBHOOK_SECRET", "checks Stripe's signatures", _text, secret=True),
    Setting(
        "NPPES_API_BASE",
        "the register of US providers; another address for a sandbox",
        _url("http", "https"),
        "https://npiregistry.cms.hhs.gov/api/",
    ),
    Setting("GITHUB_CLIENT_ID", "an OAuth application at GitHub; unset, none connects", _text, ""),
    Setting("GITHUB_CLIENT_SECRET", "the secret of that application", _text, "", secret=True),
    Setting(
        "GITHUB_OAUTH_BASE",
        "where people allow GitHub to name them",
        _url("http", "https"),
        "https://github.com",
    ),
    Setting("GITHUB_API_BASE", "GitHub's API", _url("http", "https"), "https://api.github.com"),
    Setting("MODEL_SANDBOX_BASE", "the one private address of a model", _url("http", "https"), ""),
    Setting(
        "MODEL_TURNS_AT_ONCE",
        "turns of conversations that one web process waits for at a time",
        _whole(1, 64),
        "2",
    ),
    Setting("WEBHOOK_SANDBOX_BASE", "webhooks' one private address", _url("http", "https"), ""),
    Setting("STORAGE_URL", "a folder, or s3://bucket/prefix", _storage, ".data/storage"),
    Setting(
        "S3_SOURCE_ENDPOINTS",
        "where labs' own buckets may be read: aws, addresses, or none",
        _endpoints,
        "aws",
    ),
    Setting(
        "SMTP_URL", "outgoing mail; unset, mail goes to MAILBOX_DIR", _url("smtp", "smtps"), ""
    ),
    Setting("MAIL_FROM", "the sender of every mail", _text, "Marketplace <no-reply@localhost>"),
    Setting("MAILBOX_DIR", "where mail is written when no SMTP_URL is set", _text, ".data/mailbox"),
    Setting("PUBLIC_URL", "the address people use", _url("http", "https"), "http://localhost:8000"),
    Setting("TRUSTED_PROXIES", "networks whose X-Forwarded-* headers count", _networks, ""),
    Setting("BOOK_TIMEZONE", "decides effective dates and month ends", _zone, "UTC"),
    Setting(
        "UPLOAD_MAX_BYTES",
        "the largest file that an upload may have",
        _whole(1_000_000, 2**40),
        str(5 * 2**30),
    ),
    Setting(
        "PLATFORM_FEE_BASIS_POINTS", "our fee on top of pay, in 1/10,000", _whole(0, 10_000), "2000"
    ),
    Setting("CLEARANCE_DAYS", "days from acceptance until pay is available", _whole(0, 90), "7"),
    Setting(
        "EXPORT_KEPT_DAYS",
        "days until an export's file is deleted; it can be written again",
        _whole(1, 3650),
        "90",
    ),
    Setting("SELLER_NAME", "the legal name on our invoices", _text, "Marketplace"),
    Setting("SELLER_ADDRESS", "its address; lines by semicolons", _text, ""),
    Setting(
        "SELLER_COUNTRY",
        "where it is registered for value added tax; unset, invoices state none",
        _country,
        "",
    ),
    Setting("SELLER_TAX_ID", "its tax id, as it is printed", _text, ""),
    Setting("INVOICE_PREFIX", "begins the numbers of its invoices", _text, "MP"),
    Setting("INVOICE_DUE_DAYS", "days to pay a prepayment invoice", _whole(0, 120), "14"),
    Setting(
        "BANK_ACCOUNTS",
        "where labs pay by transfer, as JSON by currency; unset, only Stripe takes money",
        _bank_accounts,
        "",
    ),
    Setting("TOP_UP_CLEARING_DAYS", "days that a bank debit stays pending", _whole(0, 90), "5"),
    Setting(
        "REFUND_APPROVAL_FROM",
        "refunds to labs of this much and more need our approval; always, in other currencies",
        _amounts,
        "USD=100000,EUR=100000,GBP=80000,CHF=100000",
    ),
    Setting("PAYOUT_MINIMUM_MINOR", "smallest payout, in minor units", _whole(0, 10**9), "1000"),
    Setting(
        "PAYOUT_MINIMUMS",
        "smallest payouts of single currencies, such as JPY=1500,KWD=3000; else the one above",
        _amounts,
        "JPY=1500,KRW=15000,KWD=3000,HUF=400000,UGX=40000,ISK=1500",
    ),
    Setting(
        "PAYOUT_TWO_APPROVERS_FROM",
        "payout runs of this much and more need two approvals; always, in other currencies",
        _amounts,
        "USD=2500000,EUR=2500000,GBP=2000000,CHF=2500000",
    ),
    Setting(
        "PAYOUT_NEW_PAYEE_TWO_FROM",
        "so do runs with a first payment of this much and more to a payee",
        _amounts,
        "USD=500000,EUR=500000,GBP=400000,CHF=500000",
    ),
    Setting(
        "PAYOUT_APPROVER_DAY_LIMITS",
        "the most that one approver may approve in 24 hours; no limit in other currencies",
        _amounts,
        "USD=50000000,EUR=50000000,GBP=40000000,CHF=50000000",
    ),
    Setting("PAYOUT_TRANSFERS_PER_SECOND", "the most at Stripe; 0 is any", _whole(0, 100), "25"),
    Setting("PAYOUT_SENDERS", "payout lines that a worker sends at once", _whole(1, 32), "4"),
    Setting("PAYEE_COOLDOWN_DAYS", "no pay to a bank account this new", _whole(0, 60), "3"),
    Setting("PAY_HOLD_DAYS", "days until somebody looks at held pay again", _whole(1, 365), "14"),
    Setting("TAX_RULES_FILE", "another table of tax thresholds, as TOML", _text, ""),
    Setting(
        "QUALIFICATION_BUDGET_MINOR",
        "the most that our own qualifications may pay in 30 days, in minor units of each currency",
        _whole(0, 10**12),
        "200000",
    ),
    Setting("PUBLIC_DEVELOPMENT", "1 shows /house/ui and the demonstration notice", _switch, "0"),
    Setting("LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR", _level, "INFO"),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says; one field for each row of `TABLE`, in lower case."""

    database_url: str
    owner_database_url: str
    redis_url: str
    secret_key: str
    encryption_keys: tuple[str, ...]
    pseudonym_key: str
    signing_keys: tuple[str, ...]
    stripe_secret_key: str
    stripe_api_base: str
    stripe_webhook_secret: str
    nppes_api_base: str
    github_client_id: str
    github_client_secret: str
    github_oauth_base: str
    github_api_base: str
    model_sandbox_base: str
    model_turns_at_once: int
    webhook_sandbox_base: str
    storage_url: str
    s3_source_endpoints: tuple[str, ...]
    smtp_url: str
    mail_from: str
    mailbox_dir: str
    public_url: str
    trusted_proxies: tuple[str, ...]
    book_timezone: str
    upload_max_bytes: int
    platform_fee_basis_points: int
    clearance_days: int
    export_kept_days: int
    seller_name: str
    seller_address: str
    seller_country: str
    seller_tax_id: str
    invoice_prefix: str
    invoice_due_days: int
    bank_accounts: BankAccounts
    top_up_clearing_days: int
    refund_approval_from: tuple[tuple[str, int], ...]
    payout_minimum_minor: int
    payout_minimums: tuple[tuple[str, int], ...]
    payout_two_approvers_from: tuple[tuple[str, int], ...]
    payout_new_payee_two_from: tuple[tuple[str, int], ...]
    payout_approver_day_limits: tuple[tuple[str, int], ...]
    payout_transfers_per_second: int
    payout_senders: int
    payee_cooldown_days: int
    pay_hold_days: int
    tax_rules_file: str
    qualification_budget_minor: int
    public_development: bool
    log_level: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read every setting; raise SettingsFaulty with all that is missing or wrong."""
        values: dict[str, Any] = {}
        faults: list[str] = []
        for setting in TABLE:
            text = environ.get(setting.name) or setting.default
            if text is None:
                faults.append(f"{setting.name} is not set: {setting.meaning}.")
            elif text == "" and setting.default == "":
                values[setting.name.lower()] = () if setting.read is _networks else ""
            else:
                try:
                    values[setting.name.lower()] = setting.read(text)
                except ValueError as fault:
                    faults.append(f"{setting.name} {fault}.")
        if faults:
            raise SettingsFaulty(faults)
        return cls(**values)


assert {setting.name.lower() for setting in TABLE} == {  # noqa: S101 - holds the two lists together.
    field.name for field in fields(Settings)
}


class _Here:
    settings: Settings | None = None


def use(settings: Settings) -> None:
    """Set this process's settings, for background functions and commands."""
    _Here.settings = settings


def current() -> Settings:
    """This process's settings."""
    if _Here.settings is None:
        raise RuntimeError("settings.use() has not been called.")
    return _Here.settings
