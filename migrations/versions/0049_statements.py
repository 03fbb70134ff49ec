"""Tables for statements of banks, for payouts and reports of Stripe, and for matches.

Why: a bank's file is kept as it came and is believed only when its balances prove it; connected
accounts have lines, balances and payouts too; a match says by which rule it was made.
Locks: `stripe_statement` and `stripe_statement_line` for the moment that a column with a constant
default and an index take; both are small or read by background functions only.
Undo: `downgrade` drops what was uploaded; the files stay in the store and can be uploaded again,
and the lines of connected accounts go, since they would read as our own.
"""

from alembic import op

from marketplace.db import append_only

revision = "0049_statements"
down_revision = "0048_payouts"
branch_labels = None
depends_on = None

KEPT = (
    "statement_source", "statement_mapping", "statement_file", "bank_statement",
    "statement_entry", "statement_match", "reconciliation", "stripe_line_altered",
    "stripe_payout_seen", "stripe_report_day",
)  # fmt: skip
KINDS = "'camt053', 'mt940', 'csv', 'stripe_balance', 'stripe_api'"
SHA256 = "CHECK (octet_length({column}) = 32)"

TABLES = (
    f"""CREATE TABLE statement_source (
      id uuid CONSTRAINT pk_statement_source PRIMARY KEY,
      kind varchar(40) NOT NULL CONSTRAINT ck_statement_source_kind CHECK (kind IN ({KINDS})),
      name text NOT NULL,
      account text NOT NULL,
      account_key text NOT NULL,
      currency char(3) NOT NULL,
      holds varchar(40) NOT NULL CONSTRAINT ck_statement_source_holds
        CHECK (holds IN ('client_funds', 'operating')),
      added_by uuid CONSTRAINT fk_statement_source_added_by REFERENCES person (id),
      added_at timestamptz NOT NULL,
      CONSTRAINT uq_statement_source_account_key_currency UNIQUE (account_key, currency))""",
    """CREATE TABLE statement_mapping (
      id uuid CONSTRAINT pk_statement_mapping PRIMARY KEY,
      source_id uuid NOT NULL CONSTRAINT fk_statement_mapping_source_id
        REFERENCES statement_source (id),
      version bigint NOT NULL,
      mapping jsonb NOT NULL,
      saved_by uuid CONSTRAINT fk_statement_mapping_saved_by REFERENCES person (id),
      saved_at timestamptz NOT NULL,
      CONSTRAINT uq_statement_mapping_source_id_version UNIQUE (source_id, version))""",
    f"""CREATE TABLE statement_file (
      id uuid CONSTRAINT pk_statement_file PRIMARY KEY,
      kind varchar(40) NOT NULL CONSTRAINT ck_statement_file_kind CHECK (kind IN ({KINDS})),
      name text NOT NULL,
      sha256 bytea NOT NULL CONSTRAINT uq_statement_file_sha256 UNIQUE,
      size_bytes bigint NOT NULL,
      reference text NOT NULL CONSTRAINT uq_statement_file_reference UNIQUE,
      file_key bytea NOT NULL,
      mapping_id uuid CONSTRAINT fk_statement_file_mapping_id REFERENCES statement_mapping (id),
      taken_by uuid CONSTRAINT fk_statement_file_taken_by REFERENCES person (id),
      taken_at timestamptz NOT NULL,
      CONSTRAINT ck_statement_file_sha256 {SHA256.format(column="sha256")},
      CONSTRAINT ck_statement_file_size_bytes CHECK (size_bytes > 0))""",
    """CREATE TABLE bank_statement (
      id uuid CONSTRAINT pk_bank_statement PRIMARY KEY,
      file_id uuid NOT NULL CONSTRAINT fk_bank_statement_file_id REFERENCES statement_file (id),
      source_id uuid NOT NULL CONSTRAINT fk_bank_statement_source_id
        REFERENCES statement_source (id),
      number text NOT NULL,
      sequence bigint,
      pages smallint NOT NULL,
      opening_minor bigint NOT NULL,
      closing_minor bigint NOT NULL,
      currency char(3) NOT NULL,
      from_on date NOT NULL,
      to_on date NOT NULL,
      entry_count bigint NOT NULL,
      left_out bigint NOT NULL,
      variant text NOT NULL,
      taken_at timestamptz NOT NULL,
      CONSTRAINT ck_bank_statement_days CHECK (from_on <= to_on))""",
    "CREATE INDEX ix_bank_statement_source_id ON bank_statement (source_id, from_on, id)",
    "CREATE INDEX ix_bank_statement_file_id ON bank_statement (file_id)",
    """CREATE TABLE statement_entry (
      id uuid CONSTRAINT pk_statement_entry PRIMARY KEY,
      source_id uuid NOT NULL CONSTRAINT fk_statement_entry_source_id
        REFERENCES statement_source (id),
      statement_id uuid NOT NULL CONSTRAINT fk_statement_entry_statement_id
        REFERENCES bank_statement (id),
      natural_id text NOT NULL CONSTRAINT uq_statement_entry_natural_id UNIQUE,
      fingerprint text NOT NULL,
      occurrence bigint NOT NULL,
      amount_minor bigint NOT NULL,
      currency char(3) NOT NULL,
      booked_on date NOT NULL,
      value_on date,
      bank_reference text NOT NULL,
      end_to_end text NOT NULL,
      payment_id text NOT NULL,
      code text NOT NULL,
      reversal boolean NOT NULL,
      return_reason text NOT NULL,
      charges_minor bigint,
      tokens text[] NOT NULL,
      payer_hash bytea,
      details bytea,
      line bigint NOT NULL,
      taken_at timestamptz NOT NULL,
      CONSTRAINT uq_statement_entry_source_id_fingerprint_occurrence
        UNIQUE (source_id, fingerprint, occurrence),
      CONSTRAINT ck_statement_entry_occurrence CHECK (occurrence >= 1))""",
    "CREATE INDEX ix_statement_entry_source_id ON statement_entry (source_id, booked_on, id)",
    "CREATE INDEX ix_statement_entry_statement_id ON statement_entry (statement_id, id)",
    """CREATE TABLE statement_match (
      id uuid CONSTRAINT pk_statement_match PRIMARY KEY,
      entry_id uuid NOT NULL CONSTRAINT fk_statement_match_entry_id
        REFERENCES statement_entry (id),
      stage text NOT NULL,
      rule text NOT NULL,
      payout_id text CONSTRAINT uq_statement_match_payout_id UNIQUE,
      stripe_line_id text CONSTRAINT uq_statement_match_stripe_line_id UNIQUE,
      transaction_id uuid CONSTRAINT fk_statement_match_transaction_id
        REFERENCES ledger_transaction (id),
      evidence jsonb NOT NULL,
      explanation text NOT NULL,
      several boolean NOT NULL,
      matched_by uuid CONSTRAINT fk_statement_match_matched_by REFERENCES person (id),
      matched_at timestamptz NOT NULL,
      CONSTRAINT ck_statement_match_several_explained
        CHECK (NOT several OR btrim(explanation) <> ''))""",
    """CREATE UNIQUE INDEX uq_statement_match_entry ON statement_match (entry_id)
       WHERE NOT several""",
    "CREATE INDEX ix_statement_match_entry_id ON statement_match (entry_id)",
    "CREATE INDEX ix_statement_match_transaction_id ON statement_match (transaction_id)",
    """CREATE TABLE reconciliation (
      id uuid CONSTRAINT pk_reconciliation PRIMARY KEY,
      as_of timestamptz NOT NULL,
      made_at timestamptz NOT NULL,
      made_by uuid CONSTRAINT fk_reconciliation_made_by REFERENCES person (id),
      through_on date,
      counts jsonb NOT NULL,
      breaks jsonb NOT NULL,
      outcome jsonb NOT NULL)""",
    "CREATE INDEX ix_reconciliation_made_at ON reconciliation (made_at)",
    "ALTER TABLE stripe_statement ADD COLUMN account text NOT NULL DEFAULT ''",
    "ALTER TABLE stripe_statement_line ADD COLUMN account text NOT NULL DEFAULT ''",
    "CREATE INDEX ix_stripe_statement_account ON stripe_statement (account, id)",
    """CREATE INDEX ix_stripe_statement_line_account
       ON stripe_statement_line (account, created_at)""",
    "CREATE INDEX ix_stripe_statement_line_source_id ON stripe_statement_line (source_id)",
    """CREATE TABLE stripe_line_altered (
      id uuid CONSTRAINT pk_stripe_line_altered PRIMARY KEY,
      line_id text NOT NULL CONSTRAINT fk_stripe_line_altered_line_id
        REFERENCES stripe_statement_line (id),
      body json NOT NULL,
      body_sha256 bytea NOT NULL,
      seen_at timestamptz NOT NULL,
      CONSTRAINT uq_stripe_line_altered_line_id_body_sha256 UNIQUE (line_id, body_sha256))""",
    f"""CREATE TABLE stripe_payout_seen (
      id uuid CONSTRAINT pk_stripe_payout_seen PRIMARY KEY,
      payout_id text NOT NULL,
      account text NOT NULL,
      amount bigint NOT NULL,
      currency char(3) NOT NULL,
      status text NOT NULL,
      automatic boolean NOT NULL,
      arrival_on date NOT NULL,
      trace_id text,
      descriptor text NOT NULL,
      reconciled boolean NOT NULL,
      balance_transaction_id text,
      failure_transaction_id text,
      failure_code text,
      created_at timestamptz NOT NULL,
      seen_at timestamptz NOT NULL,
      body json NOT NULL,
      body_sha256 bytea NOT NULL,
      CONSTRAINT uq_stripe_payout_seen_payout_id_body_sha256 UNIQUE (payout_id, body_sha256),
      CONSTRAINT ck_stripe_payout_seen_body_sha256 {SHA256.format(column="body_sha256")})""",
    "CREATE INDEX ix_stripe_payout_seen_payout_id ON stripe_payout_seen (payout_id, id)",
    "CREATE INDEX ix_stripe_payout_seen_account ON stripe_payout_seen (account, created_at)",
    """CREATE TABLE stripe_report_day (
      file_id uuid CONSTRAINT fk_stripe_report_day_file_id REFERENCES statement_file (id),
      on_day date,
      currency char(3),
      line_count bigint NOT NULL,
      gross bigint NOT NULL,
      fee bigint NOT NULL,
      net bigint NOT NULL,
      CONSTRAINT pk_stripe_report_day PRIMARY KEY (file_id, on_day, currency))""",
    """CREATE TABLE stripe_account_pull (
      account text CONSTRAINT pk_stripe_account_pull PRIMARY KEY,
      pulled_at timestamptz,
      lines_through timestamptz,
      failed bigint NOT NULL)""",
    "CREATE INDEX ix_stripe_account_pull_pulled_at ON stripe_account_pull (pulled_at)",
)
ENCRYPTED = {"statement_file": ("file_key",), "statement_entry": ("details",)}
DROPPED = (
    "stripe_account_pull", "stripe_report_day", "stripe_payout_seen", "stripe_line_altered",
    "reconciliation", "statement_match", "statement_entry", "bank_statement", "statement_file",
    "statement_mapping", "statement_source",
)  # fmt: skip


def upgrade() -> None:
    """Create the tables, and keep their rows as they are."""
    for statement in TABLES:
        op.execute(statement)
    for table in KEPT:
        for statement in append_only(table, encrypted=ENCRYPTED.get(table, ())):
            op.execute(statement)


def downgrade() -> None:
    """Drop them, and the lines of accounts that are not ours."""
    for table in DROPPED:
        op.execute(f"DROP TABLE {table}")
    for table in KEPT:
        op.execute(f"DROP FUNCTION {table}_append_only()")
    for table in ("stripe_statement", "stripe_statement_line"):
        op.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only")
        op.execute(f"DELETE FROM {table} WHERE account <> ''")  # noqa: S608 - both are constants.
        op.execute(f"ALTER TABLE {table} ENABLE TRIGGER {table}_append_only")
        op.execute(f"ALTER TABLE {table} DROP COLUMN account")
    op.execute("DROP INDEX ix_stripe_statement_line_source_id")
