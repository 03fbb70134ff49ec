"""Scopes of tokens in groups and ready choices, and what deserves a second look at a token."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from marketplace.identity.models import ApiToken
from marketplace.identity.rules import PERMISSION_LABELS, Permission
from marketplace.ids import OrganisationId

_P = Permission
GROUPS: tuple[tuple[str, tuple[Permission, ...]], ...] = (
    ("Jobs", (_P.JOBS_VIEW, _P.JOBS_EDIT, _P.JOBS_PUBLISH)),
    ("Review and quality", (_P.WORK_REVIEW, _P.QUALITY_CONTROL, _P.APPEALS_DECIDE)),
    ("Delivery", (_P.EXPORTS_CREATE, _P.WEBHOOKS_MANAGE)),
    (
        "Money",
        (_P.BALANCE_VIEW, _P.BALANCE_TOP_UP, _P.BALANCE_REFUND, _P.SPENDING_LIMIT),
    ),
    ("Your own work", (_P.WORK_DO, _P.EARNINGS_VIEW, _P.CREDENTIALS_CLAIM)),
    ("People and access", (_P.MEMBERS_MANAGE, _P.TOKENS_MANAGE)),
)
REST = "The platform"
# Each choice in one press: key, words, what it is for; None is all that the person may do.
CHOICES: tuple[tuple[str, str, frozenset[Permission] | None], ...] = (
    ("look", "Look only", frozenset({_P.JOBS_VIEW, _P.BALANCE_VIEW, _P.EARNINGS_VIEW})),
    (
        "run",
        "Run jobs and take exports",
        frozenset(
            {
                *(_P.JOBS_VIEW, _P.JOBS_EDIT, _P.JOBS_PUBLISH, _P.BALANCE_VIEW),
                *(_P.EXPORTS_CREATE, _P.WEBHOOKS_MANAGE),
            }
        ),
    ),
    ("work", "Claim and hand in work", frozenset({_P.WORK_DO, _P.EARNINGS_VIEW})),
    ("all", "All that you may do", None),
)
DAYS = (7, 30, 90, 180, 366)
SOON = timedelta(days=7)
IDLE = timedelta(days=60)
LONG_DAYS = 180
# What scanners of secrets look for, so that a token in a public place is found.
PATTERN = re.compile(r"mkt_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class TokenShown:
    """A token in the list. acts_for: an organisation's name, "" for its person alone; warnings:
    tone, icon and words."""

    id: UUID
    name: str
    starts_with: str
    acts_for: str
    may: list[str]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime
    ended: bool
    warnings: list[tuple[str, str, str]]


def grouped(held: Collection[str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """What a person holds as groups of (scope, words); what no group names comes last."""
    left = {Permission(one) for one in held}
    found = []
    for title, members in GROUPS:
        here = [one for one in members if one in left]
        left -= set(here)
        found.append((title, _worded(here)))
    found.append((REST, _worded(sorted(left))))
    return [(title, scopes) for title, scopes in found if scopes]


def _worded(permissions: Collection[Permission]) -> list[tuple[str, str]]:
    return [(one.value, PERMISSION_LABELS[one]) for one in permissions]


def choices(held: Collection[str]) -> list[tuple[str, str, list[str]]]:
    """The ready choices of which this person holds something: key, words, scopes."""
    found: list[tuple[str, str, list[str]]] = []
    for key, words, wanted in CHOICES:
        scopes = [one for one in sorted(held) if wanted is None or Permission(one) in wanted]
        if scopes and (not found or scopes not in [each[2] for each in found]):
            found.append((key, words, scopes))
    return found


def chosen(key: str, held: Collection[str]) -> tuple[str, list[str]]:
    """The choice that is meant, the second one where none is, and its scopes."""
    found = {each: scopes for each, _, scopes in choices(held)}
    wanted = key if key in found else next((each for each in ("run", "work") if each in found), "")
    wanted = wanted or next(iter(found), "")
    return wanted, found.get(wanted, [])


def shown(row: ApiToken, organisations: Mapping[OrganisationId, str], now: datetime) -> TokenShown:
    """A token as the list shows it; organisations: names of those that the person is in."""
    ended = row.expires_at <= now
    acting = OrganisationId(row.organisation_id) if row.organisation_id else None
    acts_for = organisations.get(acting, "") if acting else ""
    return TokenShown(
        id=row.id,
        name=row.name,
        starts_with=row.starts_with,
        acts_for=acts_for,
        may=[_label(scope) for scope in row.scopes],
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
        ended=ended,
        warnings=list(_warnings(row, organisations, now, ended=ended)),
    )


def _label(scope: str) -> str:
    """A scope's words; its name where it is one of earlier times."""
    known: dict[str, Any] = {one.value: PERMISSION_LABELS[one] for one in Permission}
    return str(known.get(scope, scope))


def _warnings(
    row: ApiToken, organisations: Mapping[OrganisationId, str], now: datetime, *, ended: bool
) -> Iterator[tuple[str, str, str]]:
    if ended:
        yield "neutral", "lock", "ended"
        return
    if row.organisation_id and row.organisation_id not in organisations:
        yield "stop", "ban", "you left its organisation"
    if row.expires_at - now <= SOON:
        yield "watch", "calendar-clock", "ends soon"
    if now - (row.last_used_at or row.created_at) > IDLE:
        yield "watch", "history", "idle for two months: revoke it?"
    if row.expires_at - row.created_at > timedelta(days=LONG_DAYS + 1):
        yield "watch", "hourglass", "long life"
