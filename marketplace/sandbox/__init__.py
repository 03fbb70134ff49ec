"""Outside services, emulated: Stripe as its own SDK speaks it, the platform's bank, a register of
providers, GitHub, a lab's server that takes webhooks, and a mailbox to read.

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
2026-11: a bank debit makes its balance transaction when it succeeds, not when it is begun; a debit
that comes back later makes a `payment_failure_refund`. Stripe itself shows the first one earlier.
2026-11: the platform's balance holds every currency unless a control names the one it settles in; a
connected account holds its default currency, so a transfer in another one is converted.
2026-11: what a connected account owes is set aside from the platform's balance at once
(`reserve_transaction`, shown as `connect_reserved`) and given back as the account earns it.
2026-11: a payout made by hand is pending for an hour; one that a bank sends back stops the bank
account until it is mended. Reversing a payout makes one of a negative amount, as Stripe does.
2026-11: only the platform's own bank is emulated, with one statement for each day with movements,
numbered without a gap; a statement of today grows until the day is over.
2026-11: what a lab's server was sent is kept in memory, the newest fifty.
2026-11: reports are in UTC and finish a moment after they were asked for; the control panel is a
page without a key, since everything in this program is invented, and its forms are held to its own
origin.
"""
