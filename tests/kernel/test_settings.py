"""Settings: each is read, and everything wrong is said at once."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import asdict

import pytest

from marketplace.settings import TABLE, Settings, SettingsFaulty

KEYS = ",".join(urlsafe_b64encode(bytes([n]) * 32).decode() for n in (1, 2))
LONG = "k" * 32
NEEDED = {
    "DATABASE_URL": "postgresql://app@localhost/marketplace",
    "REDIS_URL": "redis://localhost:6379/0",
    "SECRET_KEY": LONG,
    "ENCRYPTION_KEYS": KEYS,
    "PSEUDONYM_KEY": LONG,
    "SIGNING_KEYS": KEYS,
    "STRIPE_SECRET_KEY": "sk_test_1",
    "STRIPE_WEBHOOK_SECRET": "whsec_1",
}
# For each setting, one text that is read and what it is read as.
GOOD: dict[str, tuple[str, object]] = {
    **{name: (text, text) for name, text in NEEDED.items()},
    "ENCRYPTION_KEYS": (KEYS.replace(",", " , "), tuple(KEYS.split(","))),
    "SIGNING_KEYS": (KEYS, tuple(KEYS.split(","))),
    "OWNER_DATABASE_URL": ("postgres://owner@db/m", "postgres://owner@db/m"),
    "STRIPE_API_BASE": ("http://127.0.0.1:12111", "http://127.0.0.1:12111"),
    "NPPES_API_BASE": ("http://127.0.0.1:12111/api/", "http://127.0.0.1:12111/api/"),
    "GITHUB_CLIENT_ID": ("an-application", "an-application"),
    "GITHUB_CLIENT_SECRET": ("its-secret", "its-secret"),
    "GITHUB_OAUTH_BASE": ("http://127.0.0.1:12111/github", "http://127.0.0.1:12111/github"),
    "GITHUB_API_BASE": ("http://127.0.0.1:12111/github/api", "http://127.0.0.1:12111/github/api"),
    "MODEL_SANDBOX_BASE": ("http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1"),
    "WEBHOOK_SANDBOX_BASE": ("http://127.0.0.1:9/hooks", "http://127.0.0.1:9/hooks"),
    "MODEL_TURNS_AT_ONCE": ("3", 3),
    "STORAGE_URL": ("s3://bucket/prefix", "s3://bucket/prefix"),
    "S3_SOURCE_ENDPOINTS": ("aws, http://127.0.0.1:9", ("aws", "http://127.0.0.1:9")),
    "SMTP_URL": ("smtps://u:p@mail:465", "smtps://u:p@mail:465"),
    "MAIL_FROM": ("Us <us@example.org>", "Us <us@example.org>"),
    "MAILBOX_DIR": ("/var/mailbox", "/var/mailbox"),
    "PUBLIC_URL": ("https://example.org", "https://example.org"),
    "TRUSTED_PROXIES": ("10.0.0.0/8, ::1", ("10.0.0.0/8", "::1")),
    "BOOK_TIMEZONE": ("Europe/Berlin", "Europe/Berlin"),
    "UPLOAD_MAX_BYTES": ("1000000", 1_000_000),
    "PLATFORM_FEE_BASIS_POINTS": ("0", 0),
    "CLEARANCE_DAYS": ("90", 90),
    "SELLER_NAME": ("Us Ltd", "Us Ltd"),
    "SELLER_ADDRESS": ("1 Street;Dublin", "1 Street;Dublin"),
    "SELLER_COUNTRY": ("IE", "IE"),
    "SELLER_TAX_ID": ("IE1234567T", "IE1234567T"),
    "INVOICE_PREFIX": ("US", "US"),
    "INVOICE_DUE_DAYS": ("30", 30),
    "BANK_ACCOUNTS": ('{"EUR": {"IBAN": "IE29"}}', (("EUR", (("IBAN", "IE29"),)),)),
    "TOP_UP_CLEARING_DAYS": ("7", 7),
    "REFUND_APPROVAL_FROM": ("USD=70", (("USD", 70),)),
    "PAYOUT_MINIMUM_MINOR": ("2500", 2500),
    "PAYOUT_MINIMUMS": ("JPY=1500, KWD=3000", (("JPY", 1500), ("KWD", 3000))),
    "PAYOUT_TWO_APPROVERS_FROM": ("USD=100", (("USD", 100),)),
    "PAYOUT_NEW_PAYEE_TWO_FROM": ("USD=50", (("USD", 50),)),
    "PAYOUT_APPROVER_DAY_LIMITS": ("USD=900", (("USD", 900),)),
    "PAYOUT_TRANSFERS_PER_SECOND": ("5", 5),
    "PAYOUT_SENDERS": ("8", 8),
    "PAYEE_COOLDOWN_DAYS": ("7", 7),
    "PAY_HOLD_DAYS": ("30", 30),
    "TAX_RULES_FILE": ("/etc/marketplace/tax.toml", "/etc/marketplace/tax.toml"),
    "QUALIFICATION_BUDGET_MINOR": ("900", 900),
    "EXPORT_KEPT_DAYS": ("30", 30),
    "PUBLIC_DEVELOPMENT": ("1", True),
    "LOG_LEVEL": ("WARNING", "WARNING"),
}
# For each setting that can be wrong, texts that are.
BAD: dict[str, tuple[str, ...]] = {
    "DATABASE_URL": ("mysql://x", "marketplace", "http://["),
    "OWNER_DATABASE_URL": ("sqlite://",),
    "REDIS_URL": ("localhost:6379", "http://x"),
    "SECRET_KEY": ("short",),
    "ENCRYPTION_KEYS": ("short", f"{KEYS},no", ","),
    "PSEUDONYM_KEY": ("k" * 31,),
    "SIGNING_KEYS": ("short", ","),
    "STRIPE_API_BASE": ("ftp://x",),
    "NPPES_API_BASE": ("npiregistry",),
    "GITHUB_OAUTH_BASE": ("github.test",),
    "GITHUB_API_BASE": ("ftp://x",),
    "MODEL_SANDBOX_BASE": ("ftp://x",),
    "WEBHOOK_SANDBOX_BASE": ("ftp://x",),
    "MODEL_TURNS_AT_ONCE": ("0", "65"),
    "STORAGE_URL": ("ftp://x", "s3://", "s3:///prefix"),
    "S3_SOURCE_ENDPOINTS": ("minio:9000",),
    "SMTP_URL": ("mail:25",),
    "PUBLIC_URL": ("example.org",),
    "TRUSTED_PROXIES": ("10.0.0.0/8,everyone", "10.0.0.1/8"),
    "BOOK_TIMEZONE": ("Mars/Olympus", "../etc/passwd"),
    "UPLOAD_MAX_BYTES": ("5 MB", "999999", "٣" * 7, "9" * 5_000),
    "PLATFORM_FEE_BASIS_POINTS": ("10001", "-1", "1.5"),
    "CLEARANCE_DAYS": ("91",),
    "SELLER_COUNTRY": ("Ireland", "ie"),
    "INVOICE_DUE_DAYS": ("soon",),
    "BANK_ACCOUNTS": ("IE29", "[]", '{"EUR": "IE29"}', '{"EURO": {}}', '{"EUR": {"IBAN": 29}}'),
    "TOP_UP_CLEARING_DAYS": ("-1",),
    "PAYOUT_MINIMUM_MINOR": ("ten",),
    "PAYOUT_MINIMUMS": ("JPY", "jpy=1500", "JPY=15.00", "JPY=1500,"),
    "PAYEE_COOLDOWN_DAYS": ("61",),
    "PAY_HOLD_DAYS": ("0",),
    "QUALIFICATION_BUDGET_MINOR": ("-1", "much"),
    "EXPORT_KEPT_DAYS": ("0", "3651"),
    "PUBLIC_DEVELOPMENT": ("yes",),
    "LOG_LEVEL": ("LOUD", "info"),
}


def test_every_setting_stands_in_this_test() -> None:
    assert {setting.name for setting in TABLE} == set(GOOD)


@pytest.mark.parametrize("name", sorted(GOOD))
def test_each_setting_is_read(name: str) -> None:
    text, value = GOOD[name]

    assert value == asdict(Settings.from_environ(NEEDED | {name: text}))[name.lower()]


@pytest.mark.parametrize(("name", "text"), [(n, text) for n in sorted(BAD) for text in BAD[n]])
def test_each_setting_says_what_is_wrong_with_it(name: str, text: str) -> None:
    with pytest.raises(SettingsFaulty) as told:
        Settings.from_environ(NEEDED | {name: text})

    assert [name] == [fault.split()[0] for fault in told.value.faults]


def test_all_faults_are_told_together() -> None:
    broken = {name: texts[0] for name, texts in BAD.items()} | {"STRIPE_SECRET_KEY": ""}
    with pytest.raises(SettingsFaulty) as told:
        Settings.from_environ(NEEDED | broken)

    assert set(broken) == {fault.split()[0] for fault in told.value.faults}
    assert "\n".join(told.value.faults) == str(told.value)


def test_an_empty_environment_names_all_that_has_no_default() -> None:
    with pytest.raises(SettingsFaulty) as told:
        Settings.from_environ({})

    assert set(NEEDED) == {fault.split()[0] for fault in told.value.faults}


def test_no_fault_repeats_a_secret() -> None:
    secrets = {s.name: f"hush-{s.name}" for s in TABLE if s.secret and s.name in BAD}
    with pytest.raises(SettingsFaulty) as told:
        Settings.from_environ(NEEDED | {name: text[:20] for name, text in secrets.items()})

    assert "hush" not in str(told.value)


def test_an_empty_variable_is_as_good_as_none() -> None:
    read = Settings.from_environ(NEEDED | {"CLEARANCE_DAYS": "", "TRUSTED_PROXIES": ""})

    assert (7, (), "") == (read.clearance_days, read.trusted_proxies, read.smtp_url)
