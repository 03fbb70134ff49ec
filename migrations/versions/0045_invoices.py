"""Invoices in series without gaps, cash received, and top-ups that can come back.

Why: labs pay by bank transfer and need legal documents; a debit is theirs for good only after
its window. The database itself refuses a gap, an edit and a removal of an invoice.
Locks: `top_up` for a moment, to swap a check and a function; the other tables are new.
Undo: `downgrade`, while no top-up is clearing or returned; invoices are lost with their tables.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.db import append_only, lifecycle_guard

revision = "0045_invoices"
down_revision = "0044_money"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
TABLES = (
    "cash_application", "cash_proposal", "cash_receipt", "tax_rate", "payment_reference",
    "invoice_line", "invoice", "invoice_series", "billing_details", "stripe_customer",
)  # fmt: skip
FUNCTIONS = (
    "invoice_issued", "invoice_kept", "invoice_adds_up", "invoice_series_whole",
    "invoice_line_append_only", "payment_reference_append_only",
    "tax_rate_append_only", "cash_application_append_only", "cash_receipt_lifecycle",
    "cash_proposal_lifecycle", "cash_receipt_kept",
)  # fmt: skip
INVOICE_STEPS = {"open": {"partly_paid", "paid", "void"}, "partly_paid": {"paid"}, "paid": {"void"}}
CASH_STEPS = {"unapplied": {"proposed", "settled"}, "proposed": {"unapplied", "settled"}}
PROPOSAL_STEPS = {"proposed": {"approved", "rejected"}}
KINDS = "('prepayment', 'consumption', 'credit_note')"
LIFECYCLE = """CREATE OR REPLACE FUNCTION top_up_lifecycle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'requested' THEN
      RAISE EXCEPTION 'a top-up starts as requested' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF (NEW.organisation_id, NEW.asked_by, NEW.amount_minor, NEW.currency)
     IS DISTINCT FROM (OLD.organisation_id, OLD.asked_by, OLD.amount_minor, OLD.currency) THEN
    RAISE EXCEPTION 'what was asked does not change' USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN ({steps}) THEN
    RAISE EXCEPTION 'a top-up does not go from % to %', OLD.state, NEW.state
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""
STEPS = (
    "('requested', 'checkout_open'), ('requested', 'settling'), ('requested', 'failed'), "
    "('requested', 'expired'), ('checkout_open', 'settling'), ('checkout_open', 'failed'), "
    "('checkout_open', 'expired'), ('settling', 'posted'), ('settling', 'failed'), "
    "('expired', 'settling'), ('failed', 'settling')"
)
MORE_STEPS = (
    "('settling', 'clearing'), ('clearing', 'posted'), ('clearing', 'returned'), "
    "('posted', 'returned')"
)
STATES = "'requested', 'checkout_open', 'settling', 'posted', 'failed', 'expired'"
IN_FULL = (
    "({}) = (balance_transaction_id IS NOT NULL AND fee_minor IS NOT NULL"
    " AND ledger_transaction_id IS NOT NULL AND posted_at IS NOT NULL)"
)
# The next number, taken under the lock of the series' row; any other is refused.
ISSUED = (
    """CREATE FUNCTION invoice_issued() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
      SET search_path FROM CURRENT AS $$
    DECLARE due bigint;
    BEGIN
      INSERT INTO invoice_series (entity, kind, year, last_number)
      VALUES (NEW.entity, NEW.kind, NEW.year, 1)
      ON CONFLICT (entity, kind, year) DO UPDATE
      SET last_number = invoice_series.last_number + 1 RETURNING last_number INTO due;
      IF NEW.number <> due THEN
        RAISE EXCEPTION 'the next number of this series is %, not %', due, NEW.number
          USING ERRCODE = 'check_violation';
      END IF;
      RETURN NEW;
    END $$""",
    """CREATE TRIGGER invoice_issued BEFORE INSERT ON invoice
    FOR EACH ROW EXECUTE FUNCTION invoice_issued()""",
    """CREATE FUNCTION invoice_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - 'state' = to_jsonb(NEW) - 'state'
         AND (OLD.state = NEW.state OR (OLD.state || '>' || NEW.state) = ANY (ARRAY[{steps}]))
      THEN RETURN NEW; END IF;
      RAISE EXCEPTION 'an invoice is never changed or removed' USING ERRCODE = 'restrict_violation';
    END $$""",
    """CREATE TRIGGER invoice_kept BEFORE UPDATE OR DELETE ON invoice
    FOR EACH ROW EXECUTE FUNCTION invoice_kept()""",
)
# Lines of an issued invoice can neither be added nor be missing: they are its sum.
ADDS_UP = (
    """CREATE FUNCTION invoice_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE of_invoice uuid := CASE WHEN TG_TABLE_NAME = 'invoice' THEN
      (to_jsonb(NEW) ->> 'id')::uuid ELSE (to_jsonb(NEW) ->> 'invoice_id')::uuid END;
    BEGIN
      IF NOT EXISTS (
        SELECT FROM invoice i JOIN LATERAL (
          SELECT sum(l.net_minor) AS net, sum(l.tax_minor) AS tax FROM invoice_line l
          WHERE l.invoice_id = i.id) s ON true
        WHERE i.id = of_invoice AND i.net_minor = s.net AND i.tax_minor = s.tax) THEN
        RAISE EXCEPTION 'the lines of an invoice add up to it' USING ERRCODE = 'check_violation';
      END IF;
      RETURN NULL;
    END $$""",
    *(
        f"""CREATE CONSTRAINT TRIGGER {table}_adds_up AFTER INSERT ON {table}
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoice_adds_up()"""
        for table in ("invoice", "invoice_line")
    ),
)
# Only invoices move a series: at the end of every transaction its last number is theirs.
SERIES = (
    """CREATE FUNCTION invoice_series_whole() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT last_number FROM invoice_series s
          WHERE (s.entity, s.kind, s.year) = (NEW.entity, NEW.kind, NEW.year))
         <> (SELECT count(*) FROM invoice i
             WHERE (i.entity, i.kind, i.year) = (NEW.entity, NEW.kind, NEW.year)) THEN
        RAISE EXCEPTION 'a series of invoices has no gaps' USING ERRCODE = 'check_violation';
      END IF;
      RETURN NULL;
    END $$""",
    """CREATE CONSTRAINT TRIGGER invoice_series_whole AFTER INSERT OR UPDATE ON invoice_series
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoice_series_whole()""",
)
CASH_KEPT = (
    """CREATE FUNCTION cash_receipt_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'UPDATE' AND NEW.left_minor <= OLD.left_minor
         AND to_jsonb(OLD) - ARRAY['state', 'left_minor', 'note', 'remittance', 'payer']
           = to_jsonb(NEW) - ARRAY['state', 'left_minor', 'note', 'remittance', 'payer']
      THEN RETURN NEW; END IF;
      RAISE EXCEPTION 'cash that came is never changed' USING ERRCODE = 'restrict_violation';
    END $$""",
    """CREATE TRIGGER cash_receipt_kept BEFORE UPDATE OR DELETE ON cash_receipt
    FOR EACH ROW EXECUTE FUNCTION cash_receipt_kept()""",
)


def upgrade() -> None:
    """Create the tables and their guards; let top-ups clear and come back."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    _create_invoices()
    _create_lines()
    _create_cash()
    _create_settlements()
    steps = ", ".join(f"'{a}>{b}'" for a, then in INVOICE_STEPS.items() for b in sorted(then))
    guards = [each.replace("{steps}", steps) for each in ISSUED]
    guards += [*ADDS_UP, *SERIES, *CASH_KEPT]
    for table in ("invoice_line", "payment_reference", "tax_rate", "cash_application"):
        guards += append_only(table)
    guards += lifecycle_guard("cash_receipt", CASH_STEPS)
    guards += lifecycle_guard("cash_proposal", PROPOSAL_STEPS)
    for statement in guards:
        op.execute(statement)
    for table in ("invoice", "invoice_series", "cash_receipt", "cash_proposal"):
        right = ("INSERT, UPDATE, " if table == "invoice_series" else "") + "DELETE, TRUNCATE"
        op.execute(
            f"DO $$ BEGIN EXECUTE format('REVOKE {right} ON {table} FROM %I', "
            "current_setting('marketplace.app_role')); END $$"
        )
    _let_top_ups_clear()


def _text(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _number(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def _state(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.String(40), nullable=False) for name in names]


def _to(name: str, table: str, *, nullable: bool = False, key: bool = False) -> sa.Column:
    return sa.Column(
        name, sa.Uuid(), sa.ForeignKey(f"{table}.id"), nullable=nullable, primary_key=key
    )


def _check(name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=name)


def _index(
    table: str, *columns: str, where: str = "", unique: bool = False, name: str = ""
) -> None:
    name = name or f"ix_{table}_{'_'.join(columns)}"
    some = sa.text(where) if where else None
    op.create_index(name, table, list(columns), unique=unique, postgresql_where=some)


def _create_invoices() -> None:
    op.create_table(
        "billing_details",
        _to("organisation_id", "organisation", key=True),
        *_text("legal_name", "address"),
        sa.Column("country", sa.CHAR(2), nullable=False),
        *_text("tax_id", "purchase_order"),
        _to("changed_by", "person"),
        sa.Column("changed_at", AT, nullable=False),
    )
    op.create_table(
        "invoice_series",
        *_text("entity"),
        *_state("kind"),
        *_number("year", "last_number"),
        sa.PrimaryKeyConstraint("entity", "kind", "year"),
        _check("kind", f"kind IN {KINDS}"),
        _check("last_number", "last_number >= 0"),
    )
    op.create_table(
        "invoice",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _to("organisation_id", "organisation"),
        *_state("kind", "state"),
        *_text("entity"),
        *_number("year", "number"),
        sa.Column("reference", sa.Text(), nullable=False, unique=True),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        *_number("net_minor", "tax_minor", "gross_minor"),
        sa.Column("month", sa.Date()),
        _to("credits_id", "invoice", nullable=True),
        *(sa.Column(name, JSONB(), nullable=False) for name in ("buyer", "seller")),
        *_text("note"),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date()),
        sa.Column("issued_at", AT, nullable=False),
        _to("issued_by", "person", nullable=True),
        sa.Column("once_key", sa.Text(), nullable=False, unique=True),
        sa.UniqueConstraint("entity", "kind", "year", "number"),
        _check("kind", f"kind IN {KINDS}"),
        _check("state", "state IN ('open', 'partly_paid', 'paid', 'void')"),
        _check("number", "number >= 1"),
        _check("adds_up", "gross_minor = net_minor + tax_minor"),
        _check("positive", "gross_minor > 0"),
        _check("month", "(kind = 'consumption') <= (month IS NOT NULL)"),
        _check("due", "(kind = 'prepayment') = (due_on IS NOT NULL)"),
    )
    _index("invoice", "organisation_id", "id")
    _index("invoice", "credits_id")


def _create_lines() -> None:
    op.create_table(
        "invoice_line",
        _to("invoice_id", "invoice", key=True),
        sa.Column("position", sa.BigInteger(), primary_key=True, autoincrement=False),
        *_state("kind"),
        sa.Column("job_id", sa.Uuid()),
        *_text("words"),
        *_number("net_minor", "tax_minor"),
        *_state("treatment"),
        *_number("rate_basis_points"),
        _check("kind", "kind IN ('prepayment', 'rewards', 'fee')"),
        _check(
            "treatment",
            "treatment IN ('standard', 'reverse_charge', 'outside', 'passed_on', "
            "'unregistered', 'prepayment')",
        ),
        _check("rate", "rate_basis_points BETWEEN 0 AND 10000"),
        _check("position", "position >= 1"),
    )
    op.create_table(
        "payment_reference",
        sa.Column("reference", sa.Text(), primary_key=True),
        _to("organisation_id", "organisation"),
        sa.Column("invoice_id", sa.Uuid(), sa.ForeignKey("invoice.id"), unique=True),
        sa.Column("made_at", AT, nullable=False),
        _check("reference", "reference ~ '^RF[0-9]{12}$'"),
    )
    alone = {"where": "invoice_id IS NULL", "name": "uq_payment_reference_lab"}
    _index("payment_reference", "organisation_id", unique=True, **alone)
    op.create_table(
        "tax_rate",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("country", sa.CHAR(2), nullable=False),
        *_number("basis_points"),
        sa.Column("valid_from", sa.Date(), nullable=False),
        *_text("source"),
        _to("added_by", "person"),
        sa.Column("added_at", AT, nullable=False),
        sa.UniqueConstraint("country", "valid_from"),
        _check("basis_points", "basis_points BETWEEN 0 AND 5000"),
        _check("country", "country ~ '^[A-Z]{2}$'"),
    )


def _create_cash() -> None:
    op.create_table(
        "cash_receipt",
        sa.Column("id", sa.Uuid(), primary_key=True),
        *_state("source"),
        *_text("source_id"),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        *_number("amount_minor", "left_minor"),
        *_text("remittance", "payer"),
        sa.Column("booked_on", sa.Date(), nullable=False),
        *_state("state"),
        *_text("note"),
        sa.Column("ledger_transaction_id", sa.Uuid(), nullable=False),
        sa.Column("received_at", AT, nullable=False),
        sa.UniqueConstraint("source", "source_id"),
        _check("source", "source IN ('bank', 'stripe')"),
        _check("state", "state IN ('unapplied', 'proposed', 'settled')"),
        _check("amount", "amount_minor > 0"),
        _check("left", "left_minor BETWEEN 0 AND amount_minor"),
        _check("settled", "(state = 'settled') = (left_minor = 0)"),
    )
    op.create_table(
        "stripe_customer",
        _to("organisation_id", "organisation", key=True),
        sa.Column("customer_id", sa.Text(), nullable=False, unique=True),
        sa.Column("made_at", AT, nullable=False),
    )
    waiting = "state IN ('unapplied', 'proposed')"
    _index("cash_receipt", "id", where=waiting, name="ix_cash_receipt_waiting")


def _create_settlements() -> None:
    op.create_table(
        "cash_proposal",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _to("receipt_id", "cash_receipt"),
        *_state("kind", "state"),
        _to("organisation_id", "organisation", nullable=True),
        _to("invoice_id", "invoice", nullable=True),
        *_number("amount_minor"),
        *_text("evidence"),
        _to("proposed_by", "person"),
        sa.Column("proposed_at", AT, nullable=False),
        _to("decided_by", "person", nullable=True),
        sa.Column("decided_at", AT),
        _check("kind", "kind IN ('apply', 'send_back')"),
        _check("state", "state IN ('proposed', 'approved', 'rejected')"),
        _check("amount", "amount_minor > 0"),
        _check("apply_to", "(kind = 'apply') = (organisation_id IS NOT NULL)"),
        _check("invoice", "invoice_id IS NULL OR kind = 'apply'"),
        _check("decided", "(state = 'proposed') = (decided_by IS NULL)"),
        _check("decided_at", "(decided_by IS NULL) = (decided_at IS NULL)"),
        _check("two_people", "state <> 'approved' OR decided_by <> proposed_by"),
    )
    undecided = {"where": "state = 'proposed'", "name": "uq_cash_proposal_open"}
    _index("cash_proposal", "receipt_id", unique=True, **undecided)
    op.create_table(
        "cash_application",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _to("receipt_id", "cash_receipt"),
        _to("organisation_id", "organisation"),
        _to("invoice_id", "invoice", nullable=True),
        sa.Column("proposal_id", sa.Uuid(), sa.ForeignKey("cash_proposal.id"), unique=True),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        *_number("amount_minor"),
        *_text("rule"),
        sa.Column("ledger_transaction_id", sa.Uuid(), nullable=False),
        sa.Column("applied_at", AT, nullable=False),
        _check("amount", "amount_minor > 0"),
    )
    for columns in (["invoice_id"], ["receipt_id"], ["organisation_id", "id"]):
        _index("cash_application", *columns)


def _let_top_ups_clear() -> None:
    op.add_column("top_up", sa.Column("clears_at", AT))
    _index("top_up", "clears_at", where="state = 'clearing'", name="ix_top_up_clearing")
    _swap_checks(f"{STATES}, 'clearing', 'returned'", "state IN ('clearing', 'posted', 'returned')")
    op.create_check_constraint(
        op.f("ck_top_up_clears_at"), "top_up", "state <> 'clearing' OR clears_at IS NOT NULL"
    )
    op.execute(LIFECYCLE.format(steps=f"{STEPS}, {MORE_STEPS}"))


def _swap_checks(states: str, posted: str) -> None:
    checks = {"state": f"state IN ({states})", "posted_in_full": IN_FULL.format(posted)}
    for name, condition in checks.items():
        op.drop_constraint(op.f(f"ck_top_up_{name}"), "top_up")
        op.create_check_constraint(op.f(f"ck_top_up_{name}"), "top_up", condition)


def downgrade() -> None:
    """Drop them; top-ups are then posted or not."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in TABLES:
        op.drop_table(table)
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}()")
    op.execute(LIFECYCLE.format(steps=STEPS))
    _swap_checks(STATES, "state = 'posted'")
    op.drop_constraint(op.f("ck_top_up_clears_at"), "top_up")
    op.drop_index("ix_top_up_clearing", "top_up")
    op.drop_column("top_up", "clears_at")
