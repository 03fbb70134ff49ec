"""The table of tax thresholds in force: the one that is shipped, or the accountant's own file."""

from __future__ import annotations

import functools
from importlib import resources
from pathlib import Path

from marketplace import settings
from marketplace.payouts.rules.thresholds import TaxTable, parse


def tax_table() -> TaxTable:
    """The dated thresholds; TaxTableFaulty where the file of TAX_RULES_FILE is wrong."""
    return _read(settings.current().tax_rules_file)


@functools.lru_cache(maxsize=8)
def _read(path: str) -> TaxTable:
    if path:
        return parse(Path(path).read_text(encoding="utf-8"))
    shipped = resources.files("marketplace.payouts.rules") / "thresholds.toml"
    return parse(shipped.read_text(encoding="utf-8"))
