"""The sandbox's own tables, created when it starts; all are named `sandbox_*`."""

from __future__ import annotations

import psycopg

TABLES = """
CREATE TABLE IF NOT EXISTS sandbox_state (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    clock_offset_seconds bigint NOT NULL DEFAULT 0 CHECK (clock_offset_seconds >= 0),
    settle_seconds bigint NOT NULL DEFAULT 1 CHECK (settle_seconds >= 0)
);
INSERT INTO sandbox_state DEFAULT VALUES ON CONFLICT DO NOTHING;
CREATE SEQUENCE IF NOT EXISTS sandbox_serial;

CREATE TABLE IF NOT EXISTS sandbox_objects (
    id text PRIMARY KEY,
    account text NOT NULL,
    kind text NOT NULL,
    serial bigint NOT NULL,
    created bigint NOT NULL,
    body jsonb NOT NULL
);
CREATE INDEX IF NOT EXISTS sandbox_objects_listed
    ON sandbox_objects (account, kind, serial DESC);
CREATE INDEX IF NOT EXISTS sandbox_transfers_by_group
    ON sandbox_objects ((body->>'transfer_group'), serial DESC) WHERE kind = 'transfer';
CREATE INDEX IF NOT EXISTS sandbox_transfers_by_destination
    ON sandbox_objects ((body->>'destination'), serial DESC) WHERE kind = 'transfer';
CREATE INDEX IF NOT EXISTS sandbox_charges_by_intent
    ON sandbox_objects ((body->>'payment_intent'), serial DESC) WHERE kind = 'charge';

CREATE TABLE IF NOT EXISTS sandbox_balances (
    account text NOT NULL,
    currency text NOT NULL,
    available bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (account, currency)
);
CREATE TABLE IF NOT EXISTS sandbox_balance_transactions (
    id text PRIMARY KEY,
    account text NOT NULL,
    serial bigint NOT NULL,
    created bigint NOT NULL,
    available_on bigint NOT NULL,
    currency text NOT NULL,
    net bigint NOT NULL,
    type text NOT NULL,
    source text,
    payout text,
    settled boolean NOT NULL DEFAULT false,
    body jsonb NOT NULL
);
CREATE INDEX IF NOT EXISTS sandbox_balance_transactions_listed
    ON sandbox_balance_transactions (account, serial DESC);
CREATE INDEX IF NOT EXISTS sandbox_balance_transactions_by_source
    ON sandbox_balance_transactions (source);
CREATE INDEX IF NOT EXISTS sandbox_balance_transactions_by_payout
    ON sandbox_balance_transactions (payout) WHERE payout IS NOT NULL;
CREATE INDEX IF NOT EXISTS sandbox_balance_transactions_unsettled
    ON sandbox_balance_transactions (account, currency, available_on) WHERE NOT settled;

CREATE TABLE IF NOT EXISTS sandbox_idempotency (
    account text NOT NULL,
    key text NOT NULL,
    fingerprint text NOT NULL,
    path text NOT NULL,
    request_id text NOT NULL,
    status integer NOT NULL,
    body text NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (account, key)
);

CREATE TABLE IF NOT EXISTS sandbox_events (
    id text PRIMARY KEY,
    account text NOT NULL,
    serial bigint NOT NULL,
    created bigint NOT NULL,
    type text NOT NULL,
    body jsonb NOT NULL
);
CREATE INDEX IF NOT EXISTS sandbox_events_listed ON sandbox_events (account, serial DESC);

CREATE TABLE IF NOT EXISTS sandbox_deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id text NOT NULL REFERENCES sandbox_events,
    endpoint_id text NOT NULL,
    state text NOT NULL
        CHECK (state IN ('waiting', 'held', 'delivered', 'dropped', 'given_up')),
    due_at timestamptz NOT NULL DEFAULT now(),
    rank bigint NOT NULL DEFAULT 0,
    attempts integer NOT NULL DEFAULT 0,
    outcome text NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS sandbox_deliveries_due
    ON sandbox_deliveries (due_at, rank, id) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS sandbox_deliveries_by_event ON sandbox_deliveries (event_id);

CREATE TABLE IF NOT EXISTS sandbox_timers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    due bigint NOT NULL,
    kind text NOT NULL,
    account text NOT NULL,
    subject text NOT NULL,
    UNIQUE (kind, account, subject)
);
CREATE INDEX IF NOT EXISTS sandbox_timers_due ON sandbox_timers (due, id);

CREATE TABLE IF NOT EXISTS sandbox_faults (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    target text NOT NULL CHECK (target IN ('api', 'webhook')),
    kind text NOT NULL,
    method text NOT NULL DEFAULT '',
    path text NOT NULL DEFAULT '',
    types text[] NOT NULL DEFAULT '{}',
    skip integer NOT NULL DEFAULT 0 CHECK (skip >= 0),
    remaining integer NOT NULL CHECK (remaining >= 0),
    seconds double precision NOT NULL DEFAULT 0,
    copies integer NOT NULL DEFAULT 1
);

CREATE TABLE IF NOT EXISTS sandbox_options (name text PRIMARY KEY, value text NOT NULL);
CREATE TABLE IF NOT EXISTS sandbox_rates (
    source text NOT NULL,
    target text NOT NULL,
    rate numeric NOT NULL CHECK (rate > 0),
    PRIMARY KEY (source, target)
);
CREATE TABLE IF NOT EXISTS sandbox_reserved (
    account text NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (account, currency)
);
CREATE TABLE IF NOT EXISTS sandbox_files (id text PRIMARY KEY, content text NOT NULL);
CREATE TABLE IF NOT EXISTS sandbox_bank_lines (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account text NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL CHECK (amount <> 0),
    booked_on date NOT NULL,
    value_on date NOT NULL,
    kind text NOT NULL,
    reference text NOT NULL,
    counterparty text NOT NULL,
    charges bigint NOT NULL DEFAULT 0 CHECK (charges >= 0),
    source text
);
CREATE INDEX IF NOT EXISTS sandbox_bank_lines_booked
    ON sandbox_bank_lines (account, currency, booked_on, number);
"""
_LOCK = 4_203_001


def create_tables(connection: psycopg.Connection) -> None:
    """Create what is missing; two sandboxes that start at once wait for each other."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        connection.execute(TABLES)
