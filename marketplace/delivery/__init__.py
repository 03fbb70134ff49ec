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
"""
