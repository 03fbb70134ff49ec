"""The sandbox's settings: all faults at once, and never a live key."""

from __future__ import annotations

from pathlib import Path

import pytest

from marketplace.sandbox.settings import SandboxSettings
from marketplace.settings import SettingsFaulty

GIVEN = {
    "SANDBOX_DATABASE_URL": "postgresql://sandbox@localhost/sandbox",
    "STRIPE_SECRET_KEY": "sk_test_x",
    "STRIPE_WEBHOOK_SECRET": "whsec_x",
    "PUBLIC_URL": "http://localhost:8000/",
    "MAILBOX_DIR": "/var/mail/box",
}


def test_webhooks_go_to_the_products_address_unless_told_otherwise() -> None:
    settings = SandboxSettings.from_environ(GIVEN)
    told = SandboxSettings.from_environ({**GIVEN, "WEBHOOK_URL": "http://127.0.0.1:9/hook"})

    assert settings.webhook_url == "http://localhost:8000/webhooks/stripe"
    assert told.webhook_url == "http://127.0.0.1:9/hook"
    assert settings.mailbox == Path("/var/mail/box")


def test_all_faults_are_reported_together() -> None:
    with pytest.raises(SettingsFaulty) as faulty:
        SandboxSettings.from_environ({"SANDBOX_PORT": "many", "PUBLIC_URL": "ftp://x"})

    assert len(faulty.value.faults) == 5


def test_a_live_key_is_refused() -> None:
    with pytest.raises(SettingsFaulty, match="no live key"):
        SandboxSettings.from_environ({**GIVEN, "STRIPE_SECRET_KEY": "sk_live_x"})
