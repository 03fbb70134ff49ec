"""What every page tells the browser that it may do."""

from __future__ import annotations

from dataclasses import replace

from marketplace.settings import Settings
from marketplace.web.headers import policy


def test_a_top_up_may_lead_to_the_sandbox_by_either_name_of_this_machine(
    settings: Settings,
) -> None:
    told = policy(replace(settings, stripe_api_base="http://127.0.0.1:8010"), "nonce")

    allowed = next(part for part in told.split("; ") if part.startswith("form-action")).split()
    assert {"http://127.0.0.1:8010", "http://localhost:8010"} <= set(allowed)


def test_without_a_sandbox_no_address_of_this_machine_is_allowed(settings: Settings) -> None:
    told = policy(replace(settings, stripe_api_base=""), "nonce")

    assert "localhost" not in told
    assert "unsafe" not in told
