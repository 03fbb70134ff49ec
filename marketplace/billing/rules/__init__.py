"""The rules of billing: pure, one module for each subject."""

from marketplace.billing.rules.top_ups import IN_THE_BOOK as IN_THE_BOOK
from marketplace.billing.rules.top_ups import LABELS as LABELS
from marketplace.billing.rules.top_ups import LARGEST_MINOR as LARGEST_MINOR
from marketplace.billing.rules.top_ups import NEXT as NEXT
from marketplace.billing.rules.top_ups import OPENING_HOURS as OPENING_HOURS
from marketplace.billing.rules.top_ups import SMALLEST_MINOR as SMALLEST_MINOR
from marketplace.billing.rules.top_ups import WAITING as WAITING
from marketplace.billing.rules.top_ups import Checkout as Checkout
from marketplace.billing.rules.top_ups import CheckoutWish as CheckoutWish
from marketplace.billing.rules.top_ups import Settlement as Settlement
from marketplace.billing.rules.top_ups import TopUpState as TopUpState
from marketplace.billing.rules.top_ups import askable as askable
from marketplace.billing.rules.top_ups import may_follow as may_follow
from marketplace.billing.rules.top_ups import next_look as next_look
from marketplace.billing.rules.top_ups import opening_ended as opening_ended
from marketplace.billing.rules.top_ups import state_seen as state_seen
