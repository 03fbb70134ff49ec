"""Who may do what: one table; and the rules for names, passwords, tokens and time limits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from marketplace import clock
from marketplace.errors import Fault, Faulty


class Permission(StrEnum):
    """What a role allows; also the scopes of API tokens."""

    JOBS_VIEW = "jobs.view"
    JOBS_EDIT = "jobs.edit"
    JOBS_PUBLISH = "jobs.publish"
    WORK_REVIEW = "work.review"
    APPEALS_DECIDE = "appeals.decide"
    QUALITY_CONTROL = "quality.control"
    INTEGRITY_DECIDE = "integrity.decide"
    EXPORTS_CREATE = "exports.create"
    WEBHOOKS_MANAGE = "webhooks.manage"
    BALANCE_VIEW = "balance.view"
    BALANCE_TOP_UP = "balance.top_up"
    BALANCE_REFUND = "balance.refund"
    SPENDING_LIMIT = "spending.limit"
    MEMBERS_MANAGE = "members.manage"
    TOKENS_MANAGE = "tokens.manage"
    WORK_DO = "work.do"
    EARNINGS_VIEW = "earnings.view"
    CREDENTIALS_CLAIM = "credentials.claim"
    CREDENTIALS_VERIFY = "credentials.verify"
    PEOPLE_VIEW = "people.view"
    FINANCE_VIEW = "finance.view"
    PAY_HOLD = "pay.hold"
    TAX_VERIFY = "tax.verify"
    PAYOUTS_PREPARE = "payouts.prepare"
    PAYOUTS_APPROVE = "payouts.approve"
    PAYOUTS_RELEASE = "payouts.release"
    RECONCILIATION_WORK = "reconciliation.work"
    BREAKS_APPROVE = "breaks.approve"
    PERIODS_CLOSE = "periods.close"
    LEDGER_EXPORT = "ledger.export"
    PEOPLE_MANAGE = "people.manage"
    SYSTEM_VIEW = "system.view"


# What a permission allows, in words for those who give it to a program.
PERMISSION_LABELS: Mapping[Permission, str] = {
    Permission.JOBS_VIEW: "See jobs, their progress and their submissions",
    Permission.JOBS_EDIT: "Write jobs and send items",
    Permission.JOBS_PUBLISH: "Publish, pause and close jobs; reserves money",
    Permission.WORK_REVIEW: "Accept, reject and send back work",
    Permission.APPEALS_DECIDE: "Decide appeals",
    Permission.QUALITY_CONTROL: "Change gold, write rules of quality control and decide firings",
    Permission.INTEGRITY_DECIDE: "Send and close questions about the integrity of work",
    Permission.EXPORTS_CREATE: "Make and download exports",
    Permission.WEBHOOKS_MANAGE: "Set up webhooks, and see what they delivered",
    Permission.BALANCE_VIEW: "See the balance",
    Permission.BALANCE_TOP_UP: "Top up the balance",
    Permission.BALANCE_REFUND: "Ask money back from the balance",
    Permission.SPENDING_LIMIT: "Set spend limits and automatic top-ups",
    Permission.MEMBERS_MANAGE: "Invite members and change their roles",
    Permission.TOKENS_MANAGE: "Make and revoke tokens",
    Permission.WORK_DO: "Claim and hand in tasks",
    Permission.EARNINGS_VIEW: "See earnings",
    Permission.CREDENTIALS_CLAIM: "Claim credentials",
    Permission.CREDENTIALS_VERIFY: "Decide credentials",
    Permission.PEOPLE_VIEW: "See people",
    Permission.FINANCE_VIEW: "See the ledger and the finance desk",
    Permission.PAY_HOLD: "Hold specialists' available pay, and let it go",
    Permission.TAX_VERIFY: "See and verify specialists' tax forms",
    Permission.PAYOUTS_PREPARE: "Prepare payout runs",
    Permission.PAYOUTS_APPROVE: "Approve payout runs",
    Permission.PAYOUTS_RELEASE: "Release payout runs",
    Permission.RECONCILIATION_WORK: "Match statements and explain breaks",
    Permission.BREAKS_APPROVE: "Approve what somebody else proposed for a break",
    Permission.PERIODS_CLOSE: "Close months; with a second person, reopen them",
    Permission.LEDGER_EXPORT: "Download the ledger",
    Permission.PEOPLE_MANAGE: "Suspend and erase people",
    Permission.SYSTEM_VIEW: "See how the system does",
}


class Role(StrEnum):
    """What a person is in an organisation; `specialist` is what a person is for themselves."""

    OWNER = "owner"
    MANAGER = "manager"
    REVIEWER = "reviewer"
    BILLING = "billing"
    VIEWER = "viewer"
    SPECIALIST = "specialist"
    OPERATIONS = "operations"
    PREPARER = "preparer"
    APPROVER = "approver"
    RECONCILER = "reconciler"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class OrganisationKind(StrEnum):
    """A lab buys judgements; the platform is us."""

    LAB = "lab"
    PLATFORM = "platform"


class PersonState(StrEnum):
    """`erased` people keep their row and lose everything personal in it."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    ERASED = "erased"


class OrganisationState(StrEnum):
    """Members of a closed organisation cannot act for it."""

    ACTIVE = "active"
    CLOSED = "closed"


class Purpose(StrEnum):
    """What a token that was sent by mail may be used for, once."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a purpose, not a password.


_P = Permission
_LOOK = frozenset({_P.JOBS_VIEW, _P.TOKENS_MANAGE})
_MONEY = frozenset({_P.FINANCE_VIEW, _P.TOKENS_MANAGE})
_RUN_JOBS = _LOOK | {
    _P.JOBS_EDIT,
    _P.JOBS_PUBLISH,
    _P.WORK_REVIEW,
    _P.QUALITY_CONTROL,
    _P.EXPORTS_CREATE,
    _P.WEBHOOKS_MANAGE,
    _P.BALANCE_VIEW,
}
GRANTS: Mapping[Role, frozenset[Permission]] = {
    Role.OWNER: _RUN_JOBS
    | {_P.BALANCE_TOP_UP, _P.BALANCE_REFUND, _P.SPENDING_LIMIT, _P.MEMBERS_MANAGE},
    Role.MANAGER: _RUN_JOBS,
    Role.REVIEWER: _LOOK | {_P.WORK_REVIEW},
    Role.BILLING: _LOOK
    | {_P.BALANCE_VIEW, _P.BALANCE_TOP_UP, _P.BALANCE_REFUND, _P.SPENDING_LIMIT},
    Role.VIEWER: _LOOK,
    Role.SPECIALIST: frozenset(
        {_P.WORK_DO, _P.EARNINGS_VIEW, _P.CREDENTIALS_CLAIM, _P.TOKENS_MANAGE}
    ),
    # Operations post the platform's own qualifications, paid from the platform's own balance.
    Role.OPERATIONS: _LOOK
    | {
        _P.CREDENTIALS_VERIFY,
        _P.APPEALS_DECIDE,
        _P.QUALITY_CONTROL,
        _P.INTEGRITY_DECIDE,
        _P.PEOPLE_VIEW,
        _P.PAY_HOLD,
        _P.TAX_VERIFY,
        _P.JOBS_EDIT,
        _P.JOBS_PUBLISH,
        _P.BALANCE_VIEW,
    },
    Role.PREPARER: _MONEY | {_P.PAYOUTS_PREPARE, _P.PAYOUTS_RELEASE, _P.PAY_HOLD, _P.TAX_VERIFY},
    Role.APPROVER: _MONEY
    | {
        _P.PAYOUTS_APPROVE,
        _P.PAYOUTS_RELEASE,
        _P.BREAKS_APPROVE,
        _P.PERIODS_CLOSE,
        _P.PAY_HOLD,
        _P.TAX_VERIFY,
    },
    Role.RECONCILER: _MONEY | {_P.RECONCILIATION_WORK, _P.PERIODS_CLOSE, _P.LEDGER_EXPORT},
    Role.AUDITOR: _MONEY | {_P.LEDGER_EXPORT, _P.PEOPLE_VIEW, _P.SYSTEM_VIEW},
    Role.ADMINISTRATOR: _LOOK
    | {
        _P.PEOPLE_MANAGE,
        _P.PEOPLE_VIEW,
        _P.MEMBERS_MANAGE,
        _P.SYSTEM_VIEW,
        _P.BALANCE_VIEW,
        _P.BALANCE_TOP_UP,
    },
}
ROLES_IN: Mapping[OrganisationKind, tuple[Role, ...]] = {
    OrganisationKind.LAB: (
        Role.OWNER,
        Role.MANAGER,
        Role.REVIEWER,
        Role.BILLING,
        Role.VIEWER,
    ),
    OrganisationKind.PLATFORM: (
        Role.ADMINISTRATOR,
        Role.OPERATIONS,
        Role.PREPARER,
        Role.APPROVER,
        Role.RECONCILER,
        Role.AUDITOR,
    ),
}
# The role that an organisation never loses its last holder of.
KEEPER: Mapping[OrganisationKind, Role] = {
    OrganisationKind.LAB: Role.OWNER,
    OrganisationKind.PLATFORM: Role.ADMINISTRATOR,
}
ROLE_LABELS: Mapping[Role, str] = {
    Role.OWNER: "Owner: everything, members and money included",
    Role.MANAGER: "Manager: jobs, review and exports",
    Role.REVIEWER: "Reviewer: reviews work",
    Role.BILLING: "Billing: balance, top-ups, refunds and limits",
    Role.VIEWER: "Viewer: looks on",
    Role.SPECIALIST: "Specialist",
    Role.OPERATIONS: "Operations: verifies credentials, posts qualifications",
    Role.PREPARER: "Preparer: prepares payout runs",
    Role.APPROVER: "Approver: approves payout runs and explanations of breaks",
    Role.RECONCILER: "Reconciler: matches statements, closes months",
    Role.AUDITOR: "Auditor: sees everything in finance, changes nothing",
    Role.ADMINISTRATOR: "Administrator: people, members, our own balance and the system",
}

INVITATION_DAYS = 7
VERIFY_HOURS = 48
RESET_MINUTES = 60
HALF_SIGNED_IN_MINUTES = 10
TOKEN_DAYS_MAX = 366
TOKEN_DAYS_DEFAULT = 90
PASSWORD_MIN = 12
PASSWORD_MAX = 256
RECOVERY_CODES = 10
_EMAIL = re.compile(
    r"[^\s@<>()\[\]\\,;:\"]{1,64}@[^\s@.<>()\[\]\\,;:\"]+(\.[^\s@.<>()\[\]\\,;:\"]+)+"
)
_EMAIL_MAX = 254
_NAME_MAX = 120
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_GUESSED_FIRST = frozenset(
    {
        "passwordpassword",
        "password1234",
        "passwort1234",
        "123456789012",
        "1234567890123",
        "qwertyuiop12",
        "qwertzuiop12",
        "letmeinplease",
        "iloveyou1234",
        "administrator",
        "welcome12345",
        "changeme1234",
        "marketplace1",
        "marketplace123",
    }
)


def permissions_of(roles: Iterable[Role]) -> frozenset[Permission]:
    """All that these roles allow together."""
    return frozenset().union(*(GRANTS[role] for role in roles))


def clean_email(text: str) -> str:
    """The address in lower case; Faulty at /email for anything that cannot be one."""
    email = text.strip().lower()
    if len(email) > _EMAIL_MAX or not _EMAIL.fullmatch(email):
        fault = Fault("/email", "Write an address such as name@example.org.")
        raise Faulty("The e-mail address cannot be right.", [fault])
    return email


def clean_name(text: str, *, pointer: str = "/name") -> str:
    """A name on one line, 1 to 120 characters, nothing invisible in it; else Faulty."""
    name = " ".join(text.split())
    if not name or len(name) > _NAME_MAX or _CONTROL.search(name):
        fault = Fault(pointer, f"Write a name of 1 to {_NAME_MAX} ordinary characters.")
        raise Faulty("The name cannot be used.", [fault])
    return name


def check_password(password: str, *, email: str) -> None:
    """Faulty at /password for one that would be guessed; length matters, symbols do not."""
    lowered = password.lower()
    advice = None
    if len(password) < PASSWORD_MIN:
        advice = f"Use at least {PASSWORD_MIN} characters; three or four words do well."
    elif len(password) > PASSWORD_MAX:
        advice = f"Use at most {PASSWORD_MAX} characters."
    elif len(set(lowered)) < 5 or lowered in _GUESSED_FIRST:
        advice = "This is among the first that anyone would guess. Use three or four words."
    elif lowered in {email, email.partition("@")[0]}:
        advice = "Do not use your e-mail address."
    if advice:
        raise Faulty("The password is too easy to guess.", [Fault("/password", advice)])


def clean_zone(text: str) -> str:
    """An IANA zone; Faulty at /timezone for any other text."""
    if text not in clock.zones():
        fault = Fault("/timezone", "Choose a zone such as Europe/Berlin.")
        raise Faulty("The time zone is not one that we know.", [fault])
    return text


def clean_scopes(scopes: Iterable[str], held: frozenset[Permission]) -> frozenset[Permission]:
    """The scopes as permissions; Faulty at /scopes for unknown ones and those not held."""
    wanted = list(scopes)
    known = {permission.value for permission in held}
    beyond = sorted(set(wanted) - known)
    if beyond:
        fault = Fault("/scopes", f"Your role does not have: {', '.join(beyond)}.")
        raise Faulty("A token cannot do more than you may.", [fault])
    if not wanted:
        raise Faulty("The token would be of no use.", [Fault("/scopes", "Choose at least one.")])
    return frozenset(Permission(scope) for scope in wanted)


def sign_in_lasts(*, staff: bool) -> tuple[timedelta, timedelta]:
    """How long a sign-in may idle, and how long it lasts at most; short for who moves money."""
    if staff:
        return timedelta(hours=2), timedelta(hours=12)
    return timedelta(days=7), timedelta(days=30)


def sign_in_is_live(
    *, staff: bool, created_at: datetime, last_seen_at: datetime, now: datetime
) -> bool:
    """Whether a sign-in is neither idle for too long nor too old."""
    idle, longest = sign_in_lasts(staff=staff)
    return now < last_seen_at + idle and now < created_at + longest
