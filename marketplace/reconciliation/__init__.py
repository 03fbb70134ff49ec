"""Reconciliation: does the book say what Stripe says, and if not, what exactly differs?

Owns what was pulled from Stripe, raw, hashed and immutable, and the comparison. It promises that a
line is stored once, that a statement is stored only with every line behind it, that the tolerance
is zero, and that a difference is told in words that name the money and its age. It never changes
the ledger: a difference is mended by a posting under its own rule, and by people.

Decisions
- 2026-11: a statement counts when Stripe's balance was the same before and after its lines were
  listed; otherwise the lines are kept and the statement is taken again.
- 2026-11: each pull lists the last seven days again, so that a line that appeared late is found.
- 2026-11: only what differs leaves the database; matching it in kind is pure and tested by
  corrupting true histories.
"""
