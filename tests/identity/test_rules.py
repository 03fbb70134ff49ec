"""The table of who may do what, and the rules for what people type."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from marketplace.errors import Faulty
from marketplace.identity import rules
from marketplace.identity.rules import GRANTS, KEEPER, ROLES_IN, OrganisationKind, Permission, Role

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_every_permission_is_granted_to_someone() -> None:
    assert set(Permission) == set().union(*GRANTS.values())


def test_every_role_belongs_to_exactly_one_place() -> None:
    placed = [role for roles in ROLES_IN.values() for role in roles] + [Role.SPECIALIST]

    assert sorted(Role) == sorted(placed)


def test_nobody_both_prepares_and_approves_payouts() -> None:
    both = {Permission.PAYOUTS_PREPARE, Permission.PAYOUTS_APPROVE}

    assert [] == [role for role, granted in GRANTS.items() if both <= granted]


def test_auditors_change_nothing() -> None:
    only_reads = {"view", "export", "manage"}
    verbs = {permission.value.partition(".")[2] for permission in GRANTS[Role.AUDITOR]}

    assert verbs <= only_reads
    assert Permission.TOKENS_MANAGE in GRANTS[Role.AUDITOR]
    assert Permission.MEMBERS_MANAGE not in GRANTS[Role.AUDITOR]


@pytest.mark.parametrize("kind", OrganisationKind)
def test_the_keeper_of_an_organisation_may_manage_members(kind: OrganisationKind) -> None:
    assert Permission.MEMBERS_MANAGE in GRANTS[KEEPER[kind]]


@pytest.mark.parametrize("address", [" Ada@Example.Org ", "a+b@x-y.example.org", "ü@exämple.de"])
def test_addresses_are_kept_in_lower_case(address: str) -> None:
    assert address.strip().lower() == rules.clean_email(address)


@pytest.mark.parametrize(
    "address",
    ["", "ada", "ada@host", "a b@example.org", "a@b@c.de", "a@x..de", "a\n@x.de", "a@x.de," * 60],
)
def test_what_cannot_be_an_address_is_named(address: str) -> None:
    with pytest.raises(Faulty) as refusal:
        rules.clean_email(address)

    assert ["/email"] == [fault.pointer for fault in refusal.value.faults]


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "Ada\u202eByron", "Ada\x00"])
def test_names_that_would_mislead_are_refused(name: str) -> None:
    with pytest.raises(Faulty):
        rules.clean_name(name)


def test_names_keep_markup_as_text_on_one_line() -> None:
    assert "<b>Ada</b> Byron" == rules.clean_name(" <b>Ada</b>\n Byron ")


@pytest.mark.parametrize(
    "password", ["short", "aaaaaaaaaaaaaa", "x" * 257, "administrator", "ada@example.org"]
)
def test_passwords_that_would_be_guessed_are_refused(password: str) -> None:
    with pytest.raises(Faulty):
        rules.check_password(password, email="ada@example.org")


def test_a_passphrase_without_symbols_will_do() -> None:
    rules.check_password("four plain words here", email="ada@example.org")


def test_scopes_beyond_the_role_are_named() -> None:
    with pytest.raises(Faulty) as refusal:
        rules.clean_scopes(["jobs.view", "payouts.approve"], frozenset({Permission.JOBS_VIEW}))

    assert "payouts.approve" in refusal.value.faults[0].message


@pytest.mark.parametrize(
    ("staff", "age", "idle", "live"),
    [
        (False, timedelta(days=29), timedelta(days=6), True),
        (False, timedelta(days=31), timedelta(0), False),
        (False, timedelta(days=8), timedelta(days=8), False),
        (True, timedelta(hours=11), timedelta(hours=1), True),
        (True, timedelta(hours=13), timedelta(0), False),
        (True, timedelta(hours=3), timedelta(hours=3), False),
    ],
)
def test_sign_ins_end_when_idle_or_old(
    staff: bool, age: timedelta, idle: timedelta, live: bool
) -> None:
    found = rules.sign_in_is_live(
        staff=staff, created_at=NOON - age, last_seen_at=NOON - idle, now=NOON
    )

    assert live is found
