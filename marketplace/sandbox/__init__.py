"""Outside services, emulated: Stripe as its own SDK speaks it, a register of providers, GitHub,
and a mailbox to read.

Owns: everything an outside service would own (accounts, payments, balances, transfers, events,
webhook deliveries, idempotency), in PostgreSQL tables of its own named `sandbox_*`, so that it may
be stopped and started at any moment.

Promises: the official SDK cannot tell it from Stripe in the calls that the product makes; it is at
least as strict as Stripe about capabilities, balances, parameters and idempotency keys; every page
it serves says that it is a sandbox; faults happen only when a test asks for them.

Never does: move real money, accept a live key, import a slice of the product, or answer a call it
does not emulate with anything but an error that says so.

Time inside is virtual: real time plus an offset that tests and people may only increase.
Signatures on webhooks carry real time, since the product checks them against its own clock.

2026-11: the register and GitHub know invented people only, the same ones at every start.
"""
