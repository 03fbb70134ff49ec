"""Tables and guards for the accounts and rules of the whole chart.

Why: the book takes all sources of money, knows each account's place in the chart, closes its
months step by step with a mark of every step, keeps the head of its chain by day, and reads the
balances of any day by one index look-up for each account.
Locks: `ledger_transaction`, `ledger_entry`, `ledger_account` and `ledger_period` for a moment
each, and while their indexes are built and their turnovers summed; stop the workers for it on a
large book. Undo: `downgrade`; it refuses while the book holds sources that the old checks do not
know, and forgets the marks and the days' heads.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from marketplace.db import append_only, lifecycle_guard, one_of
from marketplace.ledger.rules import SourceKind
from marketplace.ledger.rules.periods import NEXT_PERIOD, PeriodState

revision = "0044_money"
down_revision = "0043_estimates"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
SOURCES_BEFORE = (
    *("top_up", "reserve", "release", "accept", "clear", "hold", "unhold", "payout_reserve"),
    *("payout_cancel", "transfer", "surplus", "cannot_complete", "overturned", "revaccept"),
    "net_receivable",
)
# A source of one of these kinds ends in one way only.
ENDS = {
    "refund_end": ("refund_sent", "refund_cancel"),
    "dispute_end": ("dispute_won", "dispute_lost"),
    "po_end": ("po_paid", "po_failed"),
    "po_back": ("po_returned", "po_reversed"),
}
# Where nobody but two people together may post.
TWO_PEOPLE = (
    "source_kind NOT IN ('adjustment', 'write_off', 'tax_remitted')"
    " OR (coalesce(facts ->> 'proposed_by', '') <> '' AND coalesce(facts ->> 'approved_by', '')"
    " <> '' AND facts ->> 'proposed_by' <> facts ->> 'approved_by')"
)
EVIDENCE = (
    "source_kind <> 'adjustment' OR (coalesce(facts ->> 'evidence_sha256', '')"
    " ~ '^[0-9a-f]{64}$' AND coalesce(facts ->> 'reason', '') <> '')"
)
HELD_BY = (
    "source_kind NOT IN ('hold', 'unhold') OR (coalesce(facts ->> 'reason', '') <> ''"
    " AND coalesce(facts ->> 'owner_person_id', '') <> '')"
)
KIND_OF_CODE = (
    "kind IS NOT DISTINCT FROM CASE WHEN code LIKE 'C:A:%' THEN 'custody_asset'"
    " WHEN code LIKE 'C:L:%' THEN 'custody_liability' WHEN code LIKE 'A:%' THEN 'asset'"
    " WHEN code LIKE 'L:%' THEN 'liability' WHEN code LIKE 'I:%' THEN 'income'"
    " WHEN code LIKE 'E:%' THEN 'expense' WHEN code LIKE 'X:%' THEN 'trading' END"
)
OWNED_BEFORE = (
    "floor OR NOT (split_part(code, ':', 1) = 'C' OR split_part(code, ':', 1) = 'L' "
    "AND split_part(code, ':', 2) IN ('lab', 'job', 'spec'))"
)
OWNED = (
    "floor OR NOT (split_part(code, ':', 1) = 'C' OR split_part(code, ':', 1) = 'L' "
    "AND split_part(code, ':', 2) IN ('lab', 'job', 'spec', 'tax_withheld', 'unapplied', "
    "'refund_inflight') OR split_part(code, ':', 1) = 'A' "
    "AND split_part(code, ':', 2) = 'receivable')"
)
OLD_STEMS = "UPDATE ledger_account SET stem = {stem}"
STEM = (
    "regexp_replace(left({code}, -4), ':([0-9a-f]{{8}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-"
    "[0-9a-f]{{4}}-[0-9a-f]{{12}}|acct_[^:]*)', '', 'g')"
)

OPENED = """CREATE OR REPLACE FUNCTION ledger_account_opened() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  NEW.balance := CASE WHEN NEW.floor THEN 0 END;
  {stem}RETURN NEW;
END $$"""

# A closed month begins with what the months before it ended with, so they take nothing either.
# In a month that is closing only what two people decided, and what a fee was for, still enters.
PERIOD_GUARD = """CREATE OR REPLACE FUNCTION ledger_period_open() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  wanted date := date_trunc('month', NEW.effective_on)::date;
  found text;
BEGIN
  SELECT state INTO found FROM ledger_period WHERE month = wanted FOR SHARE;
  IF found IS NULL THEN
    INSERT INTO ledger_period (month, state) VALUES (wanted, 'open') ON CONFLICT DO NOTHING;
    SELECT state INTO found FROM ledger_period WHERE month = wanted FOR SHARE;
  END IF;
  IF NOT ({open}) THEN
    RAISE EXCEPTION '% is %', to_char(wanted, 'YYYY-MM'),
      CASE found WHEN 'open' THEN 'before a closed month' ELSE found END
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_period_open';
  END IF;
  IF NEW.number IS NOT NULL OR NEW.chain_hash IS NOT NULL THEN
    RAISE EXCEPTION 'a transaction is numbered after it was committed'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_numbered_later';
  END IF;
  RETURN NEW;
END $$"""
OPEN_NOW = (
    "found = 'reopened' OR found = 'open' AND NOT EXISTS ("
    "SELECT FROM ledger_period WHERE month > wanted AND state = 'closed') OR found = 'closing'"
    " AND NEW.source_kind IN ('adjustment', 'write_off', 'fee_class')"
)

# A month never changes without a mark, made before it, that says who did it, and why it opened
# again.
MARKED = (
    """CREATE FUNCTION ledger_period_marked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state IS DISTINCT FROM OLD.state AND NEW.state IS DISTINCT FROM (
      SELECT step FROM ledger_period_mark WHERE month = NEW.month ORDER BY nth DESC LIMIT 1) THEN
    RAISE EXCEPTION '% became % without a mark', to_char(NEW.month, 'YYYY-MM'), NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_period_marked';
  END IF;
  RETURN NULL;
END $$""",
    """CREATE TRIGGER ledger_period_marked AFTER UPDATE ON ledger_period
  FOR EACH ROW EXECUTE FUNCTION ledger_period_marked()""",
)

# What the transactions that were just numbered moved, by account and day, on both calendars.
MOVED = """WITH own AS (
      SELECT e.account_id, f.posted_at, f.effective_on, e.amount
      FROM former f JOIN latter l USING (id) JOIN ledger_entry e ON e.transaction_id = f.id
      WHERE f.number IS NULL AND l.number IS NOT NULL),
    moved AS MATERIALIZED (
      SELECT account_id, 'posted' AS basis, (posted_at AT TIME ZONE 'UTC')::date AS on_day,
             sum(amount)::bigint AS amount, count(*) AS entries FROM own GROUP BY 1, 3
      UNION ALL
      SELECT account_id, 'effective', effective_on, sum(amount)::bigint, count(*)
      FROM own GROUP BY 1, 3)"""
# Each row keeps what its account had as its day ended, so that the balance of any day is one row;
# a posting into the past moves the rows after it.
NUMBERED = """CREATE OR REPLACE FUNCTION ledger_numbered() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  MOVED
  INSERT INTO ledger_turnover (account_id, basis, on_day, amount, entry_count, closing)
    SELECT m.account_id, m.basis, m.on_day, 0, 0, coalesce((
      SELECT k.closing FROM ledger_turnover k WHERE k.account_id = m.account_id
        AND k.basis = m.basis AND k.on_day < m.on_day ORDER BY k.on_day DESC LIMIT 1), 0)
    FROM moved m ORDER BY 1, 2, 3
  ON CONFLICT DO NOTHING;
  MOVED
  UPDATE ledger_turnover k
    SET amount = k.amount + coalesce(s.own, 0), closing = k.closing + s.amount,
        entry_count = k.entry_count + coalesce(s.entries, 0)
    FROM (
      SELECT later.account_id, later.basis, later.on_day, sum(m.amount)::bigint AS amount,
             (sum(m.amount) FILTER (WHERE m.on_day = later.on_day))::bigint AS own,
             (sum(m.entries) FILTER (WHERE m.on_day = later.on_day))::bigint AS entries
      FROM moved m JOIN ledger_turnover later ON later.account_id = m.account_id
        AND later.basis = m.basis AND later.on_day >= m.on_day
      GROUP BY 1, 2, 3) s
    WHERE k.account_id = s.account_id AND k.basis = s.basis AND k.on_day = s.on_day;
  RETURN NULL;
END $$""".replace("MOVED", MOVED)
NUMBERED_BEFORE = """CREATE OR REPLACE FUNCTION ledger_numbered() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path FROM CURRENT AS $$
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
END $$"""
FILL_TURNOVER = (
    """INSERT INTO ledger_turnover (account_id, basis, on_day, amount, entry_count, closing)
    SELECT e.account_id, 'effective', t.effective_on, sum(e.amount), count(*), 0
    FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id
    WHERE t.number IS NOT NULL GROUP BY 1, 3""",
    """UPDATE ledger_turnover k SET closing = s.closing FROM (
      SELECT account_id, basis, on_day,
             sum(amount) OVER (PARTITION BY account_id, basis ORDER BY on_day) AS closing
      FROM ledger_turnover) s
    WHERE (k.account_id, k.basis, k.on_day) = (s.account_id, s.basis, s.on_day)""",
)


def upgrade() -> None:
    """Widen the sources, then the guards, the months, the turnovers and the days."""
    _sources(tuple(member.value for member in SourceKind))
    _guards_of_transactions()
    _accounts()
    _periods()
    _turnovers()
    _days()


def _sources(words: tuple[str, ...]) -> None:
    op.drop_constraint("source_kind", "ledger_transaction", type_="check")
    listed = ", ".join(f"'{word}'" for word in words)
    op.create_check_constraint("source_kind", "ledger_transaction", f"source_kind IN ({listed})")


def _guards_of_transactions() -> None:
    for name, check in (
        ("two_people", TWO_PEOPLE),
        ("evidence", EVIDENCE),
        ("held_by_somebody", HELD_BY),
    ):
        op.create_check_constraint(name, "ledger_transaction", check)
    for name, kinds in ENDS.items():
        listed = ", ".join(f"'{kind}'" for kind in kinds)
        op.create_index(
            f"uq_ledger_transaction_{name}",
            "ledger_transaction",
            ["source_id"],
            unique=True,
            postgresql_where=sa.text(f"source_kind IN ({listed})"),
        )
    op.create_index("ix_ledger_transaction_effective_on", "ledger_transaction", ["effective_on"])
    op.create_index(
        "ix_ledger_transaction_facts",
        "ledger_transaction",
        [sa.text("jsonb_path_query_array(facts, '$.*')")],
        postgresql_using="gin",
        postgresql_where=sa.text("facts <> '{}'"),
    )
    op.create_index("ix_ledger_entry_amount", "ledger_entry", ["amount"])


def _accounts() -> None:
    op.drop_constraint("owned_has_floor", "ledger_account", type_="check")
    op.create_check_constraint("owned_has_floor", "ledger_account", OWNED)
    op.create_check_constraint("kind_of_code", "ledger_account", KIND_OF_CODE)
    op.add_column("ledger_account", sa.Column("stem", sa.Text(), nullable=True))
    # The guard lets nothing but balances change; this is the one time that something else does.
    op.execute("ALTER TABLE ledger_account DISABLE TRIGGER ledger_account_guard")
    op.execute(OLD_STEMS.format(stem=STEM.format(code="code")))
    op.execute("ALTER TABLE ledger_account ENABLE TRIGGER ledger_account_guard")
    op.alter_column("ledger_account", "stem", nullable=False)
    op.create_index("ix_ledger_account_stem", "ledger_account", ["stem"])
    op.execute(OPENED.format(stem=f"NEW.stem := {STEM.format(code='NEW.code')};\n  "))


def _periods() -> None:
    op.drop_constraint("state", "ledger_period", type_="check")
    op.create_check_constraint("state", "ledger_period", one_of("state", PeriodState).sqltext)
    op.create_table(
        "ledger_period_mark",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("nth", sa.SmallInteger(), nullable=False),
        sa.Column("step", sa.String(40), nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("second_person_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("month", "nth", name="pk_ledger_period_mark"),
        sa.ForeignKeyConstraint(
            ["month"], ["ledger_period.month"], name="fk_ledger_period_mark_month"
        ),
        sa.CheckConstraint(one_of("step", PeriodState).sqltext, name="step"),
        sa.CheckConstraint(
            "step <> 'reopened' OR (person_id IS NOT NULL AND second_person_id IS NOT NULL"
            " AND person_id <> second_person_id AND reason <> '')",
            name="reopened_by_two",
        ),
    )
    # Months that were closed before there were marks get theirs.
    op.execute(
        """INSERT INTO ledger_period_mark (month, nth, step, at, reason)
        SELECT month, 1, 'closed', closed_at, '' FROM ledger_period WHERE state = 'closed'"""
    )
    steps = {now.value: [then.value for then in thens] for now, thens in NEXT_PERIOD.items()}
    for statement in (
        *append_only("ledger_period_mark"),
        *lifecycle_guard("ledger_period", steps),
        *MARKED,
        PERIOD_GUARD.format(open=OPEN_NOW),
    ):
        op.execute(statement)


def _turnovers() -> None:
    op.drop_index("ix_ledger_turnover_on_day", "ledger_turnover")
    op.drop_constraint("pk_ledger_turnover", "ledger_turnover", type_="primary")
    op.add_column(
        "ledger_turnover",
        sa.Column("basis", sa.String(40), nullable=False, server_default="posted"),
    )
    op.add_column(
        "ledger_turnover",
        sa.Column("closing", sa.BigInteger(), nullable=False, server_default="0"),
    )
    op.alter_column("ledger_turnover", "basis", server_default=None)
    op.alter_column("ledger_turnover", "closing", server_default=None)
    op.create_primary_key(
        "pk_ledger_turnover", "ledger_turnover", ["account_id", "basis", "on_day"]
    )
    op.create_check_constraint("basis", "ledger_turnover", "basis IN ('posted', 'effective')")
    op.create_index("ix_ledger_turnover_on_day", "ledger_turnover", ["basis", "on_day"])
    for statement in (*FILL_TURNOVER, NUMBERED):
        op.execute(statement)


def _days() -> None:
    op.create_table(
        "ledger_day",
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.Column("chain_hash", sa.LargeBinary(), nullable=False),
        sa.Column("transaction_count", sa.BigInteger(), nullable=False),
        sa.Column("entry_count", sa.BigInteger(), nullable=False),
        sa.Column("debits", postgresql.JSONB(), nullable=False),
        sa.Column("sealed_at", AT, nullable=False),
        sa.Column("day_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("on_day", name="pk_ledger_day"),
        sa.UniqueConstraint("last_number", name="uq_ledger_day_last_number"),
        sa.CheckConstraint("transaction_count > 0", name="not_empty"),
        sa.CheckConstraint("octet_length(day_hash) = 32", name="day_hash"),
    )
    for statement in append_only("ledger_day"):
        op.execute(statement)


def downgrade() -> None:
    """Take it apart again, the newest first."""
    op.drop_table("ledger_day")
    op.execute("DROP FUNCTION ledger_day_append_only()")
    _turnovers_before()
    _periods_before()
    op.drop_index("ix_ledger_account_stem", "ledger_account")
    op.execute(OPENED.format(stem=""))
    op.drop_column("ledger_account", "stem")
    op.drop_constraint("kind_of_code", "ledger_account", type_="check")
    op.drop_constraint("owned_has_floor", "ledger_account", type_="check")
    op.create_check_constraint("owned_has_floor", "ledger_account", OWNED_BEFORE)
    op.drop_index("ix_ledger_entry_amount", "ledger_entry")
    op.drop_index("ix_ledger_transaction_facts", "ledger_transaction")
    op.drop_index("ix_ledger_transaction_effective_on", "ledger_transaction")
    for name in ENDS:
        op.drop_index(f"uq_ledger_transaction_{name}", "ledger_transaction")
    for name in ("two_people", "evidence", "held_by_somebody"):
        op.drop_constraint(name, "ledger_transaction", type_="check")
    _sources(SOURCES_BEFORE)


def _turnovers_before() -> None:
    op.execute("DELETE FROM ledger_turnover WHERE basis = 'effective'")
    op.drop_index("ix_ledger_turnover_on_day", "ledger_turnover")
    op.drop_constraint("basis", "ledger_turnover", type_="check")
    op.drop_constraint("pk_ledger_turnover", "ledger_turnover", type_="primary")
    op.drop_column("ledger_turnover", "closing")
    op.drop_column("ledger_turnover", "basis")
    op.create_primary_key("pk_ledger_turnover", "ledger_turnover", ["account_id", "on_day"])
    op.create_index("ix_ledger_turnover_on_day", "ledger_turnover", ["on_day"])
    op.execute(NUMBERED_BEFORE)


def _periods_before() -> None:
    op.execute(PERIOD_GUARD.format(open="found = 'open'"))
    for trigger in ("ledger_period_marked", "ledger_period_lifecycle"):
        op.execute(f"DROP FUNCTION {trigger}() CASCADE")
    op.drop_table("ledger_period_mark")
    op.execute("DROP FUNCTION ledger_period_mark_append_only()")
    # The old months know two states; one that was being closed, or is open again, is open.
    op.execute("UPDATE ledger_period SET state = 'open' WHERE state IN ('closing', 'reopened')")
    op.drop_constraint("state", "ledger_period", type_="check")
    op.create_check_constraint("state", "ledger_period", "state IN ('open', 'closed')")
