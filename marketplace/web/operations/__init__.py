"""Pages for operations: credentials to decide, cases to settle, hits of published lists, payees in
another name, credentials that run out, the catalogue, people to find.

Owns how the platform's own people see specialists and what they claim. Promises: every decision
needs its note and its ticks, and nobody decides on their own credential. Never: shows what a
specialist answered, or anybody's money beyond what of it is held.
"""

from marketplace.web.operations import (
    appeals,
    cases,
    catalogue,
    credentials,
    erasure,
    expiring,
    hits,
    holds,
    lists,
    pay_holds,
    payees,
    people,
    questions,
)
from marketplace.web.operations.blueprint import operations

__all__ = [
    "appeals",
    "cases",
    "catalogue",
    "credentials",
    "erasure",
    "expiring",
    "hits",
    "holds",
    "lists",
    "operations",
    "pay_holds",
    "payees",
    "people",
    "questions",
]
