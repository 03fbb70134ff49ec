"""The verbs of billing."""

from marketplace.billing.service.top_ups import GIVEN_UP as GIVEN_UP
from marketplace.billing.service.top_ups import OTHER_AMOUNT as OTHER_AMOUNT
from marketplace.billing.service.top_ups import begin_top_up as begin_top_up
from marketplace.billing.service.top_ups import found as found
from marketplace.billing.service.top_ups import give_up as give_up
from marketplace.billing.service.top_ups import locked as locked
from marketplace.billing.service.top_ups import look_again as look_again
from marketplace.billing.service.top_ups import look_soon as look_soon
from marketplace.billing.service.top_ups import record_checkout as record_checkout
from marketplace.billing.service.top_ups import record_refusal as record_refusal
