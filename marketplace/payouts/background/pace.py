"""No more transfers a second than Stripe allows, all workers together.

The bucket is kept in Redis by Stripe account. Without Redis nothing holds a call back: Stripe then
answers 429, which executed nothing, and the line waits under the same key.
"""

from __future__ import annotations

import hashlib
import random
import time

from marketplace import limits, settings
from marketplace.errors import TooOften
from marketplace.limits import Bucket
from marketplace.stripe_client import StripeRateLimited

WAIT_SECONDS_MAX = 10.0
PAUSE_SECONDS = (0.02, 0.08)


def take_turn() -> None:
    """Wait for a place among this second's transfers; StripeRateLimited when none comes free."""
    here = settings.current()
    if here.payout_transfers_per_second == 0:
        return None
    bucket = Bucket("stripe-transfers", f"{here.payout_transfers_per_second}/second")
    # The key itself stays out of Redis.
    account = hashlib.sha256(here.stripe_secret_key.encode()).hexdigest()[:16]
    limiter = limits.for_process(here.redis_url)
    until = time.monotonic() + WAIT_SECONDS_MAX
    while True:
        try:
            return limiter.hit(bucket, account)
        except TooOften:
            if time.monotonic() >= until:
                raise StripeRateLimited("Too many transfers wait for their turn.") from None
            time.sleep(random.uniform(*PAUSE_SECONDS))
