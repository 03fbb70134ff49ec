"""What the daily head of the chain covers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date


def day_content(
    on_day: date,
    *,
    last_number: int,
    chain_hash: bytes,
    transaction_count: int,
    entry_count: int,
    debits: Mapping[str, int],
) -> dict[str, object]:
    """The content of a day's link: where the chain stood, and how much was in it."""
    return {
        "on_day": on_day.isoformat(),
        "last_number": last_number,
        "chain": chain_hash.hex(),
        "transactions": transaction_count,
        "entries": entry_count,
        "debits": dict(sorted(debits.items())),
    }
