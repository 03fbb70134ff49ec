"""Delivery: exports of accepted judgements, and the feed of events.

Owns the table export. Promises: an export holds what was accepted when it was asked for, the same
bytes when it is written again; what it leaves out is counted with the reason; the file is offered
only when its counts agree with the database. Never: decides what is right; the task type's pure
exporters make the rows.

Decisions
- 2026-11: a file is written item by item in the order of the items, from chunks of a transaction
  each, to a temporary file, and stored whole; memory does not grow with the job.
- 2026-11: people appear under the lab's own pseudonym only.
- 2026-11: under the policy `model` an item has one judgement: what a third person settled, else of
  all that was given the one that says most of what is believed. The labels are those of the moment
  the file is written; were they computed anew meanwhile, the file is not offered.

Webhooks and the feed of events: owns the tables webhook_endpoint, webhook_delivery,
webhook_attempt and event_cursor. Promises: kinds have stable names and documented facts
(`rules.kinds`), ids, states, counts and amounts only; whoever follows a feed by its cursor sees
every event once and in order; a webhook is told each event that it asks for at least once, in the
order of their numbers where nothing fails, under the event's id, signed as Standard Webhooks says,
and tried for three days. Never: sends to a private address (but the one that the operator set as
WEBHOOK_SANDBOX_BASE), follows a redirect, shows a secret twice, keeps an answer beyond its first
KiB or one that repeats the secret.

Decisions
- 2026-11: deliveries are rows with leases, sent by threads beside the worker's own work
  (`worker.courier`), and no background functions: a worker does one thing at a time, and a server
  that never answers would hold up exports and payouts. Who fails or is slow gets one message at a
  time and never more than half of the threads; after five failures in a row it is given a rest.
- 2026-11: deliveries are made of the feed by a cursor of each endpoint (`reached`), so announcing
  costs nothing more where nobody listens, and an endpoint that was off may have what it missed.
- 2026-11: attempts follow at once, and after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and
  24 h, up to a tenth later; a `Retry-After` is heard. 410 ends it at once; a whole schedule
  without success, or three days without any, switches the webhook off and writes to the lab.
- 2026-11: what ended is kept for thirty days, then deleted. The events themselves stay.
- 2026-11: a request with `wait` holds a thread of its process and no transaction; four may wait in
  a process, and whoever comes then is answered at once.
- 2026-11: a specialist's events are numbered by themselves (`event.person_number`), since the
  number of all facts would tell how much the whole platform does.
- 2026-11: that a job is completed is told by a look every fifteen seconds at what became final,
  since whoever decides a task would otherwise have to look at all the others.
"""
