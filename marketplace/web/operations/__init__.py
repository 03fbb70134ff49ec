"""Pages for operations: credentials to look up and decide, cases to settle, people to find.

Owns how the platform's own people see specialists and what they claim. Promises: every decision
needs its note and its ticks, and nobody decides on their own credential. Never: shows what a
specialist answered, or anybody's money.
"""

from marketplace.web.operations import credentials, people
from marketplace.web.operations.blueprint import operations

__all__ = ["credentials", "operations", "people"]
