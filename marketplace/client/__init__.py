"""The client of the public API, for labs' programs, specialists' tools and the command line.

Owns no state but its connection; imports nothing of the product and needs nothing but httpx, so it
is what `pip install marketplace` brings. Promises: a call that failed on the way is sent again
under the same idempotency key and therefore never acts twice; lists are iterated to their end,
a page in memory at a time; files go up in pieces within the API's limits and come down as streams,
whole and with the announced SHA-256 or not at all, going on where they broke off; every refusal is
a `Refusal` with the API's sentence and code; a field that a later API adds breaks nothing. Never:
guesses at what the API did not say, logs or shows a token.

Decisions
- 2026-11: paths and fields are those of `/api/v1`. What calls take and give is written from the
  API's own document (`python -m tests.client.shapes`), and a test compares: neither drifts.
- 2026-11: one description of calls for both clients. Everything is written once, as coroutines
  that await a transport only; over the blocking transport they run to their end without a loop.
- 2026-11: answers are `Record`s, which hold the JSON as it came and read a field when it is asked
  for, instead of classes filled at once: unknown fields pass, and a page of 200 submissions costs
  nothing that nobody looks at.
"""

from marketplace.client.client import AsyncClient as AsyncClient
from marketplace.client.client import Client as Client
from marketplace.client.errors import Busy as Busy
from marketplace.client.errors import Conflict as Conflict
from marketplace.client.errors import Damaged as Damaged
from marketplace.client.errors import Denied as Denied
from marketplace.client.errors import Failed as Failed
from marketplace.client.errors import InsufficientFunds as InsufficientFunds
from marketplace.client.errors import Invalid as Invalid
from marketplace.client.errors import LaterVersion as LaterVersion
from marketplace.client.errors import LeaseLost as LeaseLost
from marketplace.client.errors import MarketplaceError as MarketplaceError
from marketplace.client.errors import NotConfigured as NotConfigured
from marketplace.client.errors import NotFound as NotFound
from marketplace.client.errors import NotSignedIn as NotSignedIn
from marketplace.client.errors import Refusal as Refusal
from marketplace.client.errors import ServerFailed as ServerFailed
from marketplace.client.errors import TimedOut as TimedOut
from marketplace.client.errors import TooLarge as TooLarge
from marketplace.client.errors import TooOften as TooOften
from marketplace.client.errors import Unreachable as Unreachable
from marketplace.client.records import Money as Money
from marketplace.client.records import Record as Record
from marketplace.client.resources.bound import Export as Export
from marketplace.client.resources.bound import Import as Import
from marketplace.client.resources.bound import Job as Job
from marketplace.client.resources.jobs import Plan as Plan
from marketplace.client.sending import ItemsReport as ItemsReport
from marketplace.client.signatures import NotGenuine as NotGenuine
from marketplace.client.signatures import verify_webhook as verify_webhook
