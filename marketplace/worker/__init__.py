"""Background work: the relay, the schedule, the sequencer and the worker.

Owns no tables. Promises: what stands in the outbox is handed to a worker until it is done, in
spite of lost queues and killed workers; each recurring function runs once in each slot, unless an
earlier run is still open; committed facts are numbered and chained. Never does: domain work of
its own; it calls what slices bound.

2026-11: RQ carries the id of an outbox row and nothing else, so losing Redis loses nothing; the
relay leases rows again when their time is up. RQ's own retries, scheduler and cron are not used.
2026-11: the relay keeps RQ's queue short: what waits there longer than its lease is pushed twice.
2026-11: a time limit is raised as an interrupt, so that the driver cancels the running statement.
"""
