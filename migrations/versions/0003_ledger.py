"""The tables of ledger, and the guards that hold whoever writes.

Why: the first version of the slice. The triggers run as the tables' owner, so that the
unprivileged role can post but never set a balance, a turnover or a posted row.
Locks: nothing that exists. Undo: `downgrade` drops them, and with them the whole book.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from marketplace import db

revision = "0003_ledger"
down_revision = "0002_identity"
branch_labels = None
depends_on = None

ACCOUNT_KINDS = (
    "'asset', 'liability', 'income', 'expense', 'trading', 'custody_asset', 'custody_liability'"
)
SOURCE_KINDS = (
    "'top_up', 'reserve', 'release', 'accept', 'clear', 'hold', 'unhold', "
    "'payout_reserve', 'payout_cancel', 'transfer'"
)

SIDE = (
    "side = CASE WHEN kind IN ('asset', 'expense', 'trading', 'custody_asset') THEN 1 ELSE -1 END"
)
# What a lab, a job or a specialist has, and what lies in custody, is never overdrawn.
OWNED = (
    "floor OR NOT (split_part(code, ':', 1) = 'C' OR split_part(code, ':', 1) = 'L' "
    "AND split_part(code, ':', 2) IN ('lab', 'job', 'spec'))"
)

# The functions run as the owner, and see only the schema that they were made in, whatever the
# caller's search path.
# Nobody but the triggers moves a balance; an account is never renamed, moved or removed.
ACCOUNT_GUARD = (
    """CREATE FUNCTION ledger_account_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path FROM CURRENT AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - 'balance' = to_jsonb(NEW) - 'balance' THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'ledger_account is append-only' USING ERRCODE = 'restrict_violation';
END $$""",
    """CREATE TRIGGER ledger_account_guard BEFORE UPDATE OR DELETE ON ledger_account
  FOR EACH ROW EXECUTE FUNCTION ledger_account_guard()""",
    """CREATE FUNCTION ledger_account_opened() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path FROM CURRENT AS $$
BEGIN
  NEW.balance := CASE WHEN NEW.floor THEN 0 END;
  RETURN NEW;
END $$""",
    """CREATE TRIGGER ledger_account_opened BEFORE INSERT ON ledger_account
  FOR EACH ROW EXECUTE FUNCTION ledger_account_opened()""",
)

# The month is opened by its first posting; the share lock makes a close wait for postings that
# are under way, and postings wait for a close.
PERIOD_GUARD = (
    """CREATE FUNCTION ledger_period_open() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path FROM CURRENT AS $$
DECLARE
  wanted date := date_trunc('month', NEW.effective_on)::date;
  found text;
BEGIN
  SELECT state INTO found FROM ledger_period WHERE month = wanted FOR SHARE;
  IF found IS NULL THEN
    INSERT INTO ledger_period (month, state) VALUES (wanted, 'open') ON CONFLICT DO NOTHING;
    SELECT state INTO found FROM ledger_period WHERE month = wanted FOR SHARE;
  END IF;
  IF found <> 'open' THEN
    RAISE EXCEPTION '% is closed', to_char(wanted, 'YYYY-MM')
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_period_open';
  END IF;
  IF NEW.number IS NOT NULL OR NEW.chain_hash IS NOT NULL THEN
    RAISE EXCEPTION 'a transaction is numbered after it was committed'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_numbered_later';
  END IF;
  RETURN NEW;
END $$""",
    """CREATE TRIGGER ledger_period_open BEFORE INSERT ON ledger_transaction
  FOR EACH ROW EXECUTE FUNCTION ledger_period_open()""",
)

# One statement's legs at once: each names an account of its currency and a place that its header
# has; then balances move, locked in the order of account ids so that two postings never deadlock.
ENTRY_GUARD = (
    """CREATE FUNCTION ledger_entry_added() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path FROM CURRENT AS $$
BEGIN
  IF EXISTS (SELECT FROM added LEFT JOIN ledger_account a ON a.id = added.account_id
             WHERE a.id IS NULL OR a.currency <> added.currency) THEN
    RAISE EXCEPTION 'a leg names no account of its currency'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_currency';
  END IF;
  IF EXISTS (SELECT FROM added JOIN ledger_transaction t ON t.id = added.transaction_id
             WHERE added.leg > t.leg_count) THEN
    RAISE EXCEPTION 'a transaction takes no further legs'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_complete';
  END IF;
  PERFORM FROM ledger_account
    WHERE floor AND id IN (SELECT account_id FROM added) ORDER BY id FOR NO KEY UPDATE;
  UPDATE ledger_account a SET balance = a.balance + a.side * moved.amount
    FROM (SELECT account_id, sum(amount)::bigint AS amount FROM added GROUP BY account_id) moved
    WHERE a.id = moved.account_id AND a.floor;
  RETURN NULL;
END $$""",
    """CREATE TRIGGER ledger_entry_added AFTER INSERT ON ledger_entry
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_entry_added()""",
)

# Checked when the database transaction commits, since the legs come after their header.
BALANCE_GUARD = (
    """CREATE FUNCTION ledger_transaction_whole() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.leg_count <> (SELECT count(*) FROM ledger_entry WHERE transaction_id = NEW.id) THEN
    RAISE EXCEPTION 'transaction % has not the legs that it states', NEW.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_transaction_legs';
  END IF;
  IF EXISTS (SELECT FROM ledger_entry WHERE transaction_id = NEW.id
             GROUP BY currency HAVING sum(amount) <> 0) THEN
    RAISE EXCEPTION 'transaction % does not sum to zero', NEW.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_transaction_balanced';
  END IF;
  IF NEW.reverses_id IS NOT NULL AND EXISTS (
      SELECT account_id FROM ledger_entry WHERE transaction_id IN (NEW.id, NEW.reverses_id)
      GROUP BY account_id HAVING sum(amount) <> 0) THEN
    RAISE EXCEPTION 'transaction % is not the mirror of what it reverses', NEW.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_transaction_mirror';
  END IF;
  RETURN NULL;
END $$""",
    """CREATE CONSTRAINT TRIGGER ledger_transaction_whole AFTER INSERT ON ledger_transaction
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_transaction_whole()""",
)

# As transactions are numbered, their entries are added to the turnovers of their days.
TURNOVER = (
    """CREATE FUNCTION ledger_numbered() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO ledger_turnover AS kept (account_id, on_day, amount, entry_count)
    SELECT e.account_id, (f.posted_at AT TIME ZONE 'UTC')::date, sum(e.amount), count(*)
    FROM former f JOIN latter l USING (id) JOIN ledger_entry e ON e.transaction_id = f.id
    WHERE f.number IS NULL AND l.number IS NOT NULL
    GROUP BY 1, 2 ORDER BY 1, 2
  ON CONFLICT (account_id, on_day) DO UPDATE
    SET amount = kept.amount + excluded.amount,
        entry_count = kept.entry_count + excluded.entry_count;
  RETURN NULL;
END $$""",
    """CREATE TRIGGER ledger_numbered AFTER UPDATE ON ledger_transaction
  REFERENCING OLD TABLE AS former NEW TABLE AS latter
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_numbered()""",
)

# Locking needs the right to update, which the unprivileged role has not: so it asks this.
LOCK = (
    """CREATE FUNCTION ledger_lock(codes text[])
  RETURNS TABLE (id uuid, code text, currency char(3), floor boolean, balance bigint)
  LANGUAGE plpgsql SECURITY DEFINER
  SET search_path FROM CURRENT AS $$
BEGIN
  RETURN QUERY SELECT a.id, a.code, a.currency, a.floor, a.balance FROM ledger_account a
    WHERE a.code = ANY (codes) AND a.floor ORDER BY a.id FOR NO KEY UPDATE;
  RETURN QUERY SELECT a.id, a.code, a.currency, a.floor, a.balance FROM ledger_account a
    WHERE a.code = ANY (codes) AND NOT a.floor;
END $$""",
)

# The same text as Posting.content_hash makes in Python.
CONTENT_HASH = (
    """CREATE FUNCTION ledger_content_hash(wanted uuid) RETURNS bytea LANGUAGE sql STABLE AS $$
  SELECT sha256(convert_to(concat_ws(E'\\n', t.source_kind, t.source_id,
      coalesce(t.balance_transaction_id, ''),
      (SELECT string_agg(key || '=' || value, E'\\n' ORDER BY key COLLATE "C")
       FROM jsonb_each_text(t.facts)),
      (SELECT string_agg(a.code || ' ' || e.amount, E'\\n' ORDER BY a.code COLLATE "C", e.amount)
       FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
       WHERE e.transaction_id = t.id)), 'UTF8'))
  FROM ledger_transaction t WHERE t.id = wanted
$$""",
)

RIGHTS = (
    """DO $$ BEGIN EXECUTE format(
  'REVOKE UPDATE, DELETE, TRUNCATE ON ledger_account FROM %1$I;
   REVOKE DELETE, TRUNCATE ON ledger_period FROM %1$I;
   REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON ledger_turnover FROM %1$I',
  current_setting('marketplace.app_role')); END $$""",
)


def upgrade() -> None:
    """Make the tables, then their guards."""
    _account()
    _period()
    _transaction()
    _entry()
    _turnover()
    for table, updatable in (
        ("ledger_transaction", ("number", "chain_hash")),
        ("ledger_entry", ()),
    ):
        for statement in db.append_only(table, updatable=updatable):
            op.execute(statement)
    for statement in (*ACCOUNT_GUARD, *PERIOD_GUARD, *ENTRY_GUARD, *BALANCE_GUARD, *TURNOVER):
        op.execute(statement)
    for statement in (*LOCK, *CONTENT_HASH, *RIGHTS):
        op.execute(statement)


def _account() -> None:
    op.create_table(
        "ledger_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("side", sa.SmallInteger(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("funder_id", sa.Uuid(), nullable=True),
        sa.Column("floor", sa.Boolean(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_account"),
        sa.UniqueConstraint("code", name="uq_ledger_account_code"),
        sa.CheckConstraint(f"kind IN ({ACCOUNT_KINDS})", name="kind"),
        sa.CheckConstraint(SIDE, name="side"),
        sa.CheckConstraint(OWNED, name="owned_has_floor"),
        sa.CheckConstraint("right(code, 4) = ':' || currency", name="code_currency"),
        sa.CheckConstraint("(balance IS NOT NULL) = floor", name="balance_with_floor"),
        sa.CheckConstraint("balance >= 0", name="no_overdraft"),
        # Balances move often: room on the page keeps each move within it.
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index("ix_ledger_account_owner_id", "ledger_account", ["owner_id"])
    op.create_index("ix_ledger_account_funder_id", "ledger_account", ["funder_id"])


def _period() -> None:
    op.create_table(
        "ledger_period",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("month", name="pk_ledger_period"),
        sa.CheckConstraint("state IN ('open', 'closed')", name="state"),
        sa.CheckConstraint("extract(day FROM month) = 1", name="first_day"),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_at"),
    )


def _transaction() -> None:
    op.create_table(
        "ledger_transaction",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_kind", sa.String(40), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("leg_count", sa.SmallInteger(), nullable=False),
        sa.Column("balance_transaction_id", sa.Text(), nullable=True),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("chain_hash", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_transaction"),
        sa.UniqueConstraint(
            "source_kind", "source_id", name="uq_ledger_transaction_source_kind_source_id"
        ),
        sa.UniqueConstraint(
            "balance_transaction_id", name="uq_ledger_transaction_balance_transaction_id"
        ),
        sa.UniqueConstraint("reverses_id", name="uq_ledger_transaction_reverses_id"),
        sa.UniqueConstraint("number", name="uq_ledger_transaction_number"),
        sa.ForeignKeyConstraint(
            ["reverses_id"],
            ["ledger_transaction.id"],
            name="fk_ledger_transaction_reverses_id",
        ),
        sa.CheckConstraint(f"source_kind IN ({SOURCE_KINDS})", name="source_kind"),
        sa.CheckConstraint("leg_count >= 2", name="two_legs"),
        sa.CheckConstraint("octet_length(content_hash) = 32", name="content_hash"),
        sa.CheckConstraint("effective_on >= happened_on", name="never_backdated"),
        sa.CheckConstraint("(number IS NULL) = (chain_hash IS NULL)", name="numbered_with_hash"),
    )
    _transaction_indexes()


def _transaction_indexes() -> None:
    op.create_index(
        "uq_ledger_transaction_line_end",
        "ledger_transaction",
        ["source_id"],
        unique=True,
        postgresql_where=sa.text("source_kind IN ('payout_cancel', 'transfer')"),
    )
    op.create_index(
        "ix_ledger_transaction_unnumbered",
        "ledger_transaction",
        ["id"],
        postgresql_where=sa.text("number IS NULL"),
    )
    op.create_index(
        "ix_ledger_transaction_posted_at",
        "ledger_transaction",
        ["posted_at"],
        postgresql_using="brin",
    )


def _entry() -> None:
    op.create_table(
        "ledger_entry",
        sa.Column("transaction_id", sa.Uuid(), nullable=False),
        sa.Column("leg", sa.SmallInteger(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.PrimaryKeyConstraint("transaction_id", "leg", name="pk_ledger_entry"),
        sa.ForeignKeyConstraint(
            ["transaction_id"], ["ledger_transaction.id"], name="fk_ledger_entry_transaction_id"
        ),
        sa.CheckConstraint("amount <> 0", name="amount"),
        sa.CheckConstraint("leg >= 1", name="leg"),
    )
    op.create_index(
        "ix_ledger_entry_account",
        "ledger_entry",
        ["account_id", "transaction_id", "leg"],
        postgresql_include=["amount"],
    )


def _turnover() -> None:
    op.create_table(
        "ledger_turnover",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("entry_count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "on_day", name="pk_ledger_turnover"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["ledger_account.id"], name="fk_ledger_turnover_account_id"
        ),
    )
    op.create_index("ix_ledger_turnover_on_day", "ledger_turnover", ["on_day"])


def downgrade() -> None:
    """Drop the book; the functions go after the tables whose triggers call them."""
    for table in (
        "ledger_turnover",
        "ledger_entry",
        "ledger_transaction",
        "ledger_period",
        "ledger_account",
    ):
        op.drop_table(table)
    for function in (
        "ledger_content_hash(uuid)",
        "ledger_lock(text[])",
        "ledger_numbered()",
        "ledger_transaction_whole()",
        "ledger_entry_added()",
        "ledger_period_open()",
        "ledger_account_opened()",
        "ledger_account_guard()",
        "ledger_entry_append_only()",
        "ledger_transaction_append_only()",
    ):
        op.execute(f"DROP FUNCTION {function}")
