"""Webhooks: endpoints of labs, what was delivered to them; and people's own feeds of events.

Why: a lab's programs are told what happens instead of asking; a specialist's program reads the
events that are about them. An event's number in a person's feed is a cursor, no link of a chain.
Locks: `event` for two columns without a default and an index over rows that all hold NULL in it,
which is read once; deploy in a quiet hour where it is large. Undo: `downgrade`; endpoints, their
secrets and the log of deliveries are lost, and own feeds begin anew.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA

from marketplace.db import append_only, lifecycle_guard

revision = "0055_webhooks"
down_revision = "0054_provenance"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
BEFORE = ("number", "organisation_number", "organisation_hash", "job_number", "job_hash")
ENDPOINT_STEPS = {
    "active": {"paused", "disabled", "retired"},
    "paused": {"active", "retired"},
    "disabled": {"active", "retired"},
}
DELIVERY_STEPS = {"waiting": {"delivered", "failed", "cancelled"}}


def _guard_events(updatable: tuple[str, ...]) -> None:
    op.execute("DROP TRIGGER event_append_only ON event")
    op.execute("DROP FUNCTION event_append_only()")
    for statement in append_only("event", updatable=updatable):
        op.execute(statement)


def _to(name: str, table: str, *, nullable: bool = False, **more: str) -> sa.Column:
    return sa.Column(name, sa.Uuid(), sa.ForeignKey(f"{table}.id", **more), nullable=nullable)


def _endpoints() -> None:
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _to("organisation_id", "organisation"),
        sa.Column("url", BYTEA(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("kinds", ARRAY(sa.Text()), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("stopped_why", sa.String(40)),
        sa.Column("stopped_at", AT),
        sa.Column("secret", BYTEA()),
        sa.Column("former_secret", BYTEA()),
        sa.Column("former_until", AT),
        sa.Column("reached", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("failing_since", AT),
        sa.Column("rest_until", AT),
        sa.Column("slow", sa.Boolean(), nullable=False),
        sa.Column("succeeded_at", AT),
        sa.Column("served_at", AT),
        _to("created_by", "person"),
        sa.Column("created_at", AT, nullable=False),
        sa.CheckConstraint("state IN ('active', 'paused', 'disabled', 'retired')", name="state"),
        sa.CheckConstraint("stopped_why IN ('gone', 'exhausted', 'silent')", name="stopped_why"),
        sa.CheckConstraint("(state = 'disabled') = (stopped_why IS NOT NULL)", name="stopped"),
        sa.CheckConstraint("(state = 'retired') = (secret IS NULL)", name="secret"),
        sa.CheckConstraint("(former_secret IS NULL) = (former_until IS NULL)", name="former"),
        sa.CheckConstraint("reached >= 0 AND failures >= 0", name="counts"),
    )
    op.create_index("ix_webhook_endpoint_organisation_id", "webhook_endpoint", ["organisation_id"])
    for statement in lifecycle_guard("webhook_endpoint", ENDPOINT_STEPS):
        op.execute(statement)


def _deliveries() -> None:
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _to("endpoint_id", "webhook_endpoint"),
        sa.Column("event_id", sa.Uuid()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("origin", sa.String(40), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_at", AT, nullable=False),
        sa.Column("leased_until", AT),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("ended_at", AT),
        sa.CheckConstraint("origin IN ('event', 'again', 'test')", name="origin"),
        sa.CheckConstraint(
            "state IN ('waiting', 'delivered', 'failed', 'cancelled')", name="state"
        ),
        sa.CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name="ended"),
        sa.CheckConstraint("(origin = 'test') = (event_id IS NULL)", name="event"),
    )
    waiting, told = sa.text("state = 'waiting'"), sa.text("origin = 'event'")
    name = "webhook_delivery"
    op.create_index(
        "uq_webhook_delivery_told", name, ["endpoint_id", "event_id"],
        unique=True, postgresql_where=told,
    )  # fmt: skip
    op.create_index(
        "ix_webhook_delivery_due", name, ["endpoint_id", "next_at", "number"],
        postgresql_where=waiting,
    )  # fmt: skip
    op.create_index(
        "ix_webhook_delivery_in_hand", name, ["endpoint_id"],
        postgresql_where=sa.text("leased_until IS NOT NULL"),
    )  # fmt: skip
    op.create_index("ix_webhook_delivery_endpoint_id_id", name, ["endpoint_id", "id"])
    op.create_index("ix_webhook_delivery_event_id", name, ["event_id"])
    op.create_index("ix_webhook_delivery_ended_at", name, ["ended_at"])
    for statement in lifecycle_guard(name, DELIVERY_STEPS):
        op.execute(statement)


def _attempts() -> None:
    op.create_table(
        "webhook_attempt",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _to("delivery_id", "webhook_delivery", ondelete="CASCADE"),
        _to("endpoint_id", "webhook_endpoint"),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("started_at", AT, nullable=False),
        sa.Column("milliseconds", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(40), nullable=False),
        sa.Column("status", sa.BigInteger()),
        sa.Column("answer", BYTEA()),
        sa.CheckConstraint(
            "outcome IN ('delivered', 'refused', 'gone', 'too_often', 'broken', 'redirected',"
            " 'no_answer', 'address_refused')",
            name="outcome",
        ),
    )
    op.create_index("ix_webhook_attempt_delivery_id", "webhook_attempt", ["delivery_id"])
    op.create_index(
        "ix_webhook_attempt_endpoint_id_started_at",
        "webhook_attempt",
        ["endpoint_id", "started_at"],
    )
    op.create_table(
        "event_cursor",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
    )


def upgrade() -> None:
    """Give people feeds of their own, and labs webhooks."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("event", sa.Column("person_id", sa.Uuid()))
    op.add_column("event", sa.Column("person_number", sa.BigInteger()))
    op.create_unique_constraint(
        "uq_event_person_id_person_number", "event", ["person_id", "person_number"]
    )
    _guard_events((*BEFORE, "person_number"))
    _endpoints()
    _deliveries()
    _attempts()


def downgrade() -> None:
    """Take both away; the chains of events are as they were."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in ("event_cursor", "webhook_attempt", "webhook_delivery", "webhook_endpoint"):
        op.drop_table(table)
    for table in ("webhook_delivery", "webhook_endpoint"):
        op.execute(f"DROP FUNCTION {table}_lifecycle()")
    op.execute("DELETE FROM chain_head WHERE scope LIKE 'person:%'")
    op.drop_constraint("uq_event_person_id_person_number", "event")
    op.drop_column("event", "person_number")
    op.drop_column("event", "person_id")
    _guard_events(BEFORE)
