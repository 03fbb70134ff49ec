"""Delivery: exports of accepted judgements, and the feed of events.

Owns the tables export, export_part, export_author and export_belief. Promises: an export holds what
stood at one event of its job (`as_of_event`, the number of its `export.requested` in the job's
chain), the same bytes whenever it is written, whatever was overturned, added, made gold, fitted or
attested meanwhile; what it leaves out is counted with the reason; the file is offered only when
what was read agrees with the rows and with the job's chain; memory does not grow with the job.
Never: decides what is right; the task type's pure exporters make the rows.

Decisions
- 2026-11: what an answer was at the event is what it is now, undone by the first later fact that
  says what it was before (`queries.standing`), so reading costs nothing where nothing came after.
  What no chain tells is frozen with the export: what is believed of items, what may be said of
  authors, the job's domain and version, the card's facts. Under the policy `model` the event is
  announced in the transaction that freezes what is believed.
- 2026-11: an export waits until its event has a number; a worker numbers facts itself where the
  relay is behind, under the same lock.
- 2026-11: a file is written in pieces of 5,000 items through a server-side cursor, each stored with
  its sums as it is done; a lost worker goes on behind the last. Formats that know of all their rows
  (one document, a ZIP, the folder) are begun anew. Pieces of gzip are members of their own; of a
  table they are streams of Arrow.
- 2026-11: a piece is read in one snapshot, since the verdicts beside an answer come from statements
  of their own; the place of the last item is kept when the event has its number, since gzip's
  pieces are cut by places; what judges said is told up to the export's moment. Pieces are counted
  and compared before the file is put together, so that a worker that lost its work to another
  never writes over a file that is offered.
- 2026-11: files are kept for EXPORT_KEPT_DAYS; then the export is `expired`, keeps its counts and
  hashes, and can be written again. Where something it held was erased since, it says so in place
  of another file.
- 2026-11: changes since an export are found by making each item's rows as of both events, so that
  applying them always gives the whole; the envelope tells judgements apart, other formats hold the
  rows of items that changed, and the list beside each file says which items those are.
- 2026-11: files are put into a lab's bucket with the key that the job keeps for imports, in parts
  with their hashes, each export in a folder of its own; the manifest comes last.
- 2026-11: people appear under the lab's own pseudonym only.
- 2026-11: under the policy `model` an item has one judgement: what a third person settled, else of
  all that was given the one that says most of what is believed.

Cards: owns data_card, what a lab says of a job's data, and export_card, an export's facts.
Promises: every export has a card, made of facts that are kept when it is first written; no class
of fewer than five people is told apart, nor by difference from a total; the dataset folder
(`hf_dataset`) is read by `datasets` and validates as Croissant 1.1. Never: holds content in a
card's facts; makes an export wait for what a lab may say.

Decisions
- 2026-11: the folder's main table is the task type's usual format where that is rows of one shape;
  columns come from a first pass over the rows, and what no column can hold is JSON as text. The
  envelope's columns are the same for every job.
- 2026-11: agreement in a card is the job's last fit, with its own moment; pay is the median of what
  an hour brought, by class as attested when the export was asked for.
- 2026-11: how a file would begin is made from at most sixty items within a request.

Provenance: owns the table day_head. Promises: every export carries a proof (`background.proofs`),
signed with the platform's key, that `marketplace verify` reads offline: the job's chain up to the
export's event, the digest of each line, and for envelopes the salt of each hand-in, whose event
committed to all that was handed in. Never: puts content, or a hash of content without a salt, into
a chain; tells a salt once its author is erased.

Decisions
- 2026-11: the commitment is made at hand-in, in the statement that writes it, so that not even who
  signs can say later that something else was handed in; verdicts are bound by the same salt. What
  came before there were commitments reads as unproven, erased people as erased: neither is a fault.
- 2026-11: numbers are compared as numbers (1e2 is 100), since databases and programs write them
  differently; keys are sorted. The hashes stand in `marketplace.verify.seal`, which server and
  checker share and which needs the standard library only.
- 2026-11: a line's digest is cut to 16 bytes, which is enough to find it; the file's is whole. A
  changed event is found by its link, so the links stand in the proof as well.
- 2026-11: heads are kept once a day for each chain that grew. They say that a chain stood there by
  then; without one, or a key, that somebody saved elsewhere, a proof shows only that it belongs to
  its file, and the checker says so.
- 2026-11: skill is told as of the day before the hand-in, whose figure never changes, and coarsely
  (`rules.coarse`): it is the same for every lab that a person works for. What is believed of an
  item moves, so it stands in exports under the policy `model` only, frozen.
- 2026-11: nothing behind a proof's signature is read, and whoever checks one is safe from files
  made to exhaust memory (`tests/verify`).

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
