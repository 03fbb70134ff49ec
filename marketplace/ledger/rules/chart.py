"""The whole chart as patterns: which account a code means, or that it means none."""

from __future__ import annotations

import re

from marketplace.ids import parse_id
from marketplace.ledger.rules.accounts import AccountKind, AccountSpec
from marketplace.money import EXPONENT

_ID = r"(?P<owner>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
_ACCOUNT = r"acct_[A-Za-z0-9_]{1,60}"
# (pattern of the code without its currency, kind, whether it has a floor).
_CHART: tuple[tuple[str, AccountKind, bool], ...] = (
    (r"A:stripe:(balance|reserved|to_bank|topup_in_transit)", AccountKind.ASSET, False),
    (r"A:bank:(operating|client_funds)", AccountKind.ASSET, False),
    (r"A:dispute_receivable", AccountKind.ASSET, False),
    (rf"A:receivable:(lab|spec):{_ID}", AccountKind.ASSET, True),
    (rf"L:lab:{_ID}:(pending|available|dispute_hold)", AccountKind.LIABILITY, True),
    (rf"L:job:{_ID}:(reserved|contingency)", AccountKind.LIABILITY, True),
    (rf"L:spec:{_ID}:(pending|available|held|payout_reserved)", AccountKind.LIABILITY, True),
    (rf"L:tax_withheld:{_ID}", AccountKind.LIABILITY, True),
    (r"L:(refund_inflight|unapplied)", AccountKind.LIABILITY, True),
    (r"L:suspense:[a-z][a-z0-9_]{0,30}", AccountKind.LIABILITY, False),
    (r"I:(platform_fee|fx_gain)", AccountKind.INCOME, False),
    (
        r"E:stripe:(processing|dispute_fee|connect_fee|unclassified)",
        AccountKind.EXPENSE,
        False,
    ),
    (r"E:(fx_loss|chargeback_loss|goodwill|writeoff)", AccountKind.EXPENSE, False),
    (r"X:trading", AccountKind.TRADING, False),
    (rf"C:A:(connected|to_bank):{_ACCOUNT}", AccountKind.CUSTODY_ASSET, True),
    (rf"C:L:in_connected:{_ID}", AccountKind.CUSTODY_LIABILITY, True),
)
_PATTERNS = tuple((re.compile(pattern), kind, floor) for pattern, kind, floor in _CHART)


def account_named(code: str) -> AccountSpec:
    """The account that a code such as `L:lab:<id>:available:USD` means; ValueError for a code
    that is not of the chart. A job's account comes without its funder."""
    stem, _, currency = code.rpartition(":")
    if currency in EXPONENT:
        for pattern, kind, floor in _PATTERNS:
            found = pattern.fullmatch(stem)
            if found is not None:
                owner = parse_id(found.groupdict().get("owner") or "")
                funder = owner if stem.startswith("L:lab:") else None
                return AccountSpec(code, kind, currency, owner, floor, funder)
    raise ValueError(f"{code!r} is no account of the chart.")


def control_account(code: str) -> str:
    """The kind of account that a code is one of: `L:lab:<id>:available:USD` is one of
    `L:lab:available`. The database writes the same into each account as its `stem`."""
    stem = code.rpartition(":")[0]
    return _OF_ONE.sub("", stem)


_OF_ONE = re.compile(r":([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|acct_[^:]*)")
