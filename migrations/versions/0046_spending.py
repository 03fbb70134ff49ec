"""Refunds, disputes, automatic top-ups, spend limits, and bonuses.

Why: labs get money back, answer for contested payments, let their balance fill itself, and say
who may spend how much; what limits count is one row for each reservation. Former reservations are
counted from the book, without a member.
Locks: `top_up`, `accrual` and `job` for a moment, to add a column and swap checks; the other
tables are new.
Undo: `downgrade`, while no bonus was given and no job is paused for a limit; refunds, disputes and
settings are lost with their tables.
"""

import sqlalchemy as sa
from alembic import op

from marketplace.db import append_only, lifecycle_guard

revision = "0046_spending"
down_revision = "0045_invoices"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
REFUND_STEPS = {
    "asked": {"ready", "cancelled", "refused"},
    "ready": {"sending", "cancelled"},
    "sending": {"unknown", "pending", "refused", "ready"},
    "unknown": {"pending", "refused", "ready"},
    "pending": {"sent", "refused"},
    "sent": {"returned"},
}
DISPUTE_STEPS = {
    "inquiry": {"open", "closed", "won", "lost"},
    "open": {"won", "lost"},
    "closed": {"open"},
}
AUTOMATIC_STEPS = {
    "off": {"setting_up", "on"},
    "setting_up": {"on", "off"},
    "on": {"off", "setting_up"},
}
WRITE_OFF_STEPS = {"proposed": {"approved", "rejected"}}
LIFECYCLES = {
    "refund": REFUND_STEPS,
    "dispute": DISPUTE_STEPS,
    "automatic_top_up": AUTOMATIC_STEPS,
    "write_off": WRITE_OFF_STEPS,
}
APPEND_ONLY = ("spending", "bonus")
TABLES = (
    "spending", "job_budget", "spend_limit", "bonus", "write_off", "dispute", "refund",
    "balance_watch", "automatic_top_up",
)  # fmt: skip
REASONS = "'lab', 'money', 'quality', 'guideline', 'operations', 'personal'"
KINDS = "'accepted', 'surplus', 'cannot_complete', 'overturned'"
FORMER = """
    INSERT INTO spending (id, organisation_id, person_id, job_id, amount_minor, currency, spent_on,
                          spent_at)
    SELECT t.id, j.organisation_id, NULL, j.id, sum(-e.amount), a.currency,
           t.effective_on, t.posted_at
    FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
    JOIN ledger_account a ON a.id = e.account_id AND a.code LIKE 'L:job:%'
    JOIN job j ON j.id = a.owner_id
    WHERE t.source_kind IN ('reserve', 'release')
    GROUP BY t.id, j.organisation_id, j.id, a.currency, t.effective_on, t.posted_at
    HAVING sum(-e.amount) > 0"""


def upgrade() -> None:
    """Create the tables and their guards; let top-ups be automatic and pay be a bonus."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    _create_refunds()
    _create_disputes()
    _create_automatic()
    _create_limits()
    _let_pay_be_a_bonus()
    op.add_column(
        "top_up", sa.Column("origin", sa.String(40), nullable=False, server_default="checkout")
    )
    op.add_column("top_up", sa.Column("payment_method_id", sa.Text()))
    op.create_check_constraint(
        op.f("ck_top_up_origin"), "top_up", "origin IN ('checkout', 'automatic')"
    )
    op.create_check_constraint(
        op.f("ck_top_up_charges_a_card"),
        "top_up",
        "(origin = 'automatic') = (payment_method_id IS NOT NULL)",
    )
    automatic = "origin = 'automatic' AND state IN ('requested', 'settling', 'clearing')"
    _index(
        "top_up",
        "organisation_id",
        "currency",
        where=automatic,
        unique=True,
        name="uq_top_up_automatic",
    )
    _swap("job", "pause_reason", f"pause_reason IN ({REASONS}, 'limit')")
    op.execute(FORMER)
    guards = [each for table in APPEND_ONLY for each in append_only(table)]
    for table, steps in LIFECYCLES.items():
        guards += lifecycle_guard(table, steps)
    for statement in guards:
        op.execute(statement)
    for table in ("refund", "dispute", "write_off"):
        op.execute(
            f"DO $$ BEGIN EXECUTE format('REVOKE DELETE, TRUNCATE ON {table} FROM %I', "
            "current_setting('marketplace.app_role')); END $$"
        )


def _text(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _number(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def _state(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.String(40), nullable=False) for name in names]


def _at(*names: str, nullable: bool = False) -> list[sa.Column]:
    return [sa.Column(name, AT, nullable=nullable) for name in names]


def _currency(*, key: bool = False) -> sa.Column:
    return sa.Column("currency", sa.CHAR(3), nullable=False, primary_key=key)


def _to(name: str, table: str, *, nullable: bool = False, key: bool = False) -> sa.Column:
    return sa.Column(
        name, sa.Uuid(), sa.ForeignKey(f"{table}.id"), nullable=nullable, primary_key=key
    )


def _stripe(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.Text(), unique=True) for name in names]


def _check(name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=name)


def _index(
    table: str, *columns: str, where: str = "", unique: bool = False, name: str = ""
) -> None:
    name = name or f"ix_{table}_{'_'.join(columns)}"
    some = sa.text(where) if where else None
    op.create_index(name, table, list(columns), unique=unique, postgresql_where=some)


def _swap(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def _create_refunds() -> None:
    op.create_table(
        "refund",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        _to("organisation_id", "organisation"),
        _to("top_up_id", "top_up"),
        *_text("payment_intent_id"),
        *_number("amount_minor"),
        _currency(),
        *_state("state"),
        *_number("attempt"),
        *_at("tried_at", nullable=True),
        *_stripe("stripe_refund_id", "balance_transaction_id", "return_transaction_id"),
        *_text("note"),
        _to("asked_by", "person"),
        *_at("asked_at"),
        _to("decided_by", "person", nullable=True),
        *_at("decided_at", "ended_at", nullable=True),
        *_at("next_look_at"),
        _check(
            "state",
            "state IN ('asked', 'ready', 'sending', 'unknown', 'pending', 'sent', 'returned', "
            "'refused', 'cancelled')",
        ),
        _check("amount", "amount_minor > 0"),
        _check("attempt", "attempt >= 1"),
        _check("decided", "(decided_by IS NULL) = (decided_at IS NULL)"),
        _check("two_people", "decided_by <> asked_by"),
        _check("sent", "(state IN ('sent', 'returned')) = (balance_transaction_id IS NOT NULL)"),
        _check("returned", "(state = 'returned') = (return_transaction_id IS NOT NULL)"),
        _check(
            "at_stripe",
            "state NOT IN ('pending', 'sent', 'returned') OR stripe_refund_id IS NOT NULL",
        ),
        _check("tried", "state NOT IN ('sending', 'unknown') OR tried_at IS NOT NULL"),
    )
    _index("refund", "organisation_id", "id")
    _index("refund", "top_up_id")
    _index("refund", "request_id")
    waiting = "state IN ('ready', 'sending', 'unknown', 'pending')"
    _index("refund", "next_look_at", where=waiting, name="ix_refund_waiting")


def _create_disputes() -> None:
    op.create_table(
        "dispute",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("stripe_dispute_id", sa.Text(), nullable=False, unique=True),
        _to("organisation_id", "organisation", nullable=True),
        _to("top_up_id", "top_up", nullable=True),
        *_text("charge_id"),
        *_number("amount_minor"),
        _currency(),
        *_state("state"),
        *_text("status", "reason"),
        *_at("evidence_due_at", nullable=True),
        sa.Column("has_evidence", sa.Boolean(), nullable=False),
        _to("evidence_by", "person", nullable=True),
        *_at("evidence_at", nullable=True),
        *_stripe("withdrawal_id", "reinstatement_id"),
        *_at("lost_posted_at", nullable=True),
        *_at("opened_at", "looked_at"),
        _check("state", "state IN ('inquiry', 'open', 'won', 'lost', 'closed')"),
        _check("amount", "amount_minor > 0"),
        _check("explained", "(organisation_id IS NULL) = (top_up_id IS NULL)"),
        _check("returned", "reinstatement_id IS NULL OR withdrawal_id IS NOT NULL"),
        _check("one_end", "lost_posted_at IS NULL OR reinstatement_id IS NULL"),
    )
    _index("dispute", "organisation_id", "id")
    _index("dispute", "top_up_id")
    _index("dispute", "looked_at", where="state IN ('inquiry', 'open')", name="ix_dispute_ongoing")
    op.create_table(
        "write_off",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _to("organisation_id", "organisation"),
        *_number("amount_minor"),
        _currency(),
        *_state("state"),
        *_text("reason"),
        _to("proposed_by", "person"),
        *_at("proposed_at"),
        _to("decided_by", "person", nullable=True),
        *_at("decided_at", nullable=True),
        _check("state", "state IN ('proposed', 'approved', 'rejected')"),
        _check("amount", "amount_minor > 0"),
        _check("decided", "(state = 'proposed') = (decided_by IS NULL)"),
        _check("decided_at", "(decided_by IS NULL) = (decided_at IS NULL)"),
        _check("two_people", "decided_by <> proposed_by OR state = 'rejected'"),
    )
    undecided = {"where": "state = 'proposed'", "name": "uq_write_off_open"}
    _index("write_off", "organisation_id", "currency", unique=True, **undecided)


def _create_automatic() -> None:
    op.create_table(
        "automatic_top_up",
        _to("organisation_id", "organisation", key=True),
        _currency(key=True),
        *_state("state"),
        *_number("threshold_minor", "amount_minor", "month_max_minor"),
        sa.Column("payment_method_id", sa.Text()),
        *_text("card_label"),
        *_number("setup_number"),
        *_stripe("setup_session_id"),
        sa.Column("setup_url", sa.Text()),
        *_text("note"),
        _to("set_by", "person"),
        *_at("set_at", "next_look_at"),
        _check("state", "state IN ('off', 'setting_up', 'on')"),
        _check("threshold", "threshold_minor >= 0"),
        _check("amount", "amount_minor > 0"),
        _check("month_max", "month_max_minor >= amount_minor"),
        _check("card", "state <> 'on' OR payment_method_id IS NOT NULL"),
    )
    looked = {"where": "state IN ('on', 'setting_up')", "name": "ix_automatic_top_up_looked"}
    _index("automatic_top_up", "next_look_at", **looked)
    op.create_table(
        "balance_watch",
        _to("organisation_id", "organisation", key=True),
        _currency(key=True),
        *_number("low_minor"),
        sa.Column("resumes_jobs", sa.Boolean(), nullable=False),
        *_at("warned_at", nullable=True),
        _to("set_by", "person"),
        *_at("set_at"),
        _check("low", "low_minor >= 0"),
    )


def _create_limits() -> None:
    op.create_table(
        "spend_limit",
        _to("organisation_id", "organisation", key=True),
        _to("person_id", "person", key=True),
        _currency(key=True),
        *_number("month_max_minor"),
        _to("set_by", "person"),
        *_at("set_at"),
        _check("month_max", "month_max_minor >= 0"),
    )
    op.create_table(
        "job_budget",
        _to("job_id", "job", key=True),
        *_number("budget_minor"),
        _to("set_by", "person"),
        *_at("set_at"),
        _check("budget", "budget_minor >= 0"),
    )
    op.create_table(
        "spending",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _to("organisation_id", "organisation"),
        _to("person_id", "person", nullable=True),
        _to("job_id", "job", nullable=True),
        *_number("amount_minor"),
        _currency(),
        sa.Column("spent_on", sa.Date(), nullable=False),
        *_at("spent_at"),
        _check("amount", "amount_minor > 0"),
    )
    member = ("organisation_id", "person_id", "currency", "spent_on")
    _index("spending", *member, name="ix_spending_member")
    _index("spending", "job_id")


def _let_pay_be_a_bonus() -> None:
    op.create_table(
        "bonus",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _to("submission_id", "submission"),
        _to("job_id", "job"),
        _to("organisation_id", "organisation"),
        _to("specialist_id", "person"),
        *_number("amount_minor", "fee_minor"),
        _currency(),
        *_text("words"),
        sa.Column("once_key", sa.Text(), nullable=False, unique=True),
        _to("given_by", "person"),
        *_at("given_at"),
        _check("amount", "amount_minor > 0"),
        _check("fee", "fee_minor >= 0"),
    )
    _index("bonus", "submission_id")
    op.add_column(
        "accrual", sa.Column("bonus_id", sa.Uuid(), sa.ForeignKey("bonus.id"), unique=True)
    )
    _swap("accrual", "one_cause", "num_nonnulls(submission_id, outcome_id, bonus_id) = 1")
    _swap("accrual", "kind", f"kind IN ({KINDS}, 'bonus')")
    op.create_check_constraint(
        op.f("ck_accrual_kind_of_bonus"), "accrual", "(kind = 'bonus') = (bonus_id IS NOT NULL)"
    )


def downgrade() -> None:
    """Drop them; pay is never a bonus, and every top-up has a checkout."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_constraint(op.f("ck_accrual_kind_of_bonus"), "accrual")
    _swap("accrual", "kind", f"kind IN ({KINDS})")
    op.drop_constraint(op.f("ck_accrual_one_cause"), "accrual")
    op.drop_column("accrual", "bonus_id")
    op.create_check_constraint(
        op.f("ck_accrual_one_cause"), "accrual", "num_nonnulls(submission_id, outcome_id) = 1"
    )
    for table in TABLES:
        op.drop_table(table)
    for name in (
        *(f"{t}_append_only" for t in APPEND_ONLY),
        *(f"{t}_lifecycle" for t in LIFECYCLES),
    ):
        op.execute(f"DROP FUNCTION {name}()")
    op.drop_index("uq_top_up_automatic", "top_up")
    op.drop_constraint(op.f("ck_top_up_charges_a_card"), "top_up")
    op.drop_column("top_up", "payment_method_id")
    op.drop_column("top_up", "origin")
    _swap("job", "pause_reason", f"pause_reason IN ({REASONS})")
