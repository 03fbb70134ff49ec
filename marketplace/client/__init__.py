"""The client of the public API, for labs' programs and the command line.

Owns no state but its connection; imports nothing of the product, so it can be installed alone.
Promises: a call that failed on the way is sent again under the same idempotency key and therefore
never twice; files go up in pieces within the API's limits and come down as streams; every refusal
is a `Refusal` with the API's sentence and code. Never: guesses at what the API did not say.

Decisions
- 2026-11: synchronous and small for now; paths and fields are those of `/api/v1`.
"""

from marketplace.client.calls import Client as Client
from marketplace.client.calls import Refusal as Refusal
