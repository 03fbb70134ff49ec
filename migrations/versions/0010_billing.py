"""The table of billing: top-ups.

Why: a lab's money comes in through Stripe, and the row carries it from the wish to the posting.
Locks: nothing that exists, but for the moment that the foreign keys to organisation and person
take. Undo: `downgrade` drops the table and its trigger.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010_billing"
down_revision = "0009_routing"
branch_labels = None
depends_on = None

STATES = "'requested', 'checkout_open', 'settling', 'posted', 'failed', 'expired'"
STEPS = (
    "('requested', 'checkout_open'), ('requested', 'settling'), ('requested', 'failed'), "
    "('requested', 'expired'), ('checkout_open', 'settling'), ('checkout_open', 'failed'), "
    "('checkout_open', 'expired'), ('settling', 'posted'), ('settling', 'failed'), "
    "('expired', 'settling'), ('failed', 'settling')"
)


CONSTRAINTS = {
    "state": f"state IN ({STATES})",
    "amount": "amount_minor > 0",
    "posted_in_full": (
        "(state = 'posted') = (balance_transaction_id IS NOT NULL AND fee_minor IS NOT NULL"
        " AND ledger_transaction_id IS NOT NULL AND posted_at IS NOT NULL)"
    ),
    "open_has_session": (
        "state <> 'checkout_open' OR (checkout_session_id IS NOT NULL AND checkout_url IS NOT NULL)"
    ),
}
LIFECYCLE = f"""CREATE FUNCTION top_up_lifecycle() RETURNS trigger LANGUAGE plpgsql AS $$
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
  IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN ({STEPS}) THEN
    RAISE EXCEPTION 'a top-up does not go from % to %', OLD.state, NEW.state
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""


def upgrade() -> None:
    """Create the table, and the trigger that keeps its lifecycle and what was asked."""
    op.create_table("top_up", *_columns(), *_keys())
    for name, condition in CONSTRAINTS.items():
        op.create_check_constraint(op.f(f"ck_top_up_{name}"), "top_up", condition)
    op.create_index("ix_top_up_organisation_id_id", "top_up", ["organisation_id", "id"])
    op.create_index(
        "ix_top_up_waiting",
        "top_up",
        ["next_look_at"],
        postgresql_where=sa.text("state IN ('requested', 'checkout_open', 'settling')"),
    )
    op.execute(LIFECYCLE)
    op.execute(
        """CREATE TRIGGER top_up_lifecycle BEFORE INSERT OR UPDATE ON top_up
        FOR EACH ROW EXECUTE FUNCTION top_up_lifecycle()"""
    )


def _columns() -> list[sa.Column]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("success_url", sa.Text(), nullable=False),
        sa.Column("cancel_url", sa.Text(), nullable=False),
        sa.Column("checkout_session_id", sa.Text()),
        sa.Column("checkout_url", sa.Text()),
        sa.Column("payment_intent_id", sa.Text()),
        sa.Column("balance_transaction_id", sa.Text()),
        sa.Column("fee_minor", sa.BigInteger()),
        sa.Column("ledger_transaction_id", sa.Uuid()),
        sa.Column("note", sa.Text()),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_look_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True)),
    ]


def _keys() -> list[sa.Constraint]:
    unique = ("checkout_session_id", "payment_intent_id", "balance_transaction_id")
    return [
        sa.PrimaryKeyConstraint("id", name="pk_top_up"),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_top_up_organisation_id"
        ),
        sa.ForeignKeyConstraint(["asked_by"], ["person.id"], name="fk_top_up_asked_by"),
        *(sa.UniqueConstraint(column, name=f"uq_top_up_{column}") for column in unique),
    ]


def downgrade() -> None:
    """Drop it again."""
    op.drop_table("top_up")
    op.execute("DROP FUNCTION top_up_lifecycle()")
