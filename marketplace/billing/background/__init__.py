"""What billing does in the background; importing this binds its outbox names."""

from marketplace.billing.background.top_ups import LOOKS_MAX as LOOKS_MAX
from marketplace.billing.background.top_ups import CheckoutClosed as CheckoutClosed
from marketplace.billing.background.top_ups import open_checkout as open_checkout
from marketplace.billing.background.top_ups import refresh_top_up as refresh_top_up
from marketplace.billing.background.top_ups import sweep_top_ups as sweep_top_ups
