"""What billing asks of Stripe, in our own words; every call is outside a transaction."""

from marketplace.billing.stripe_gateway.checkout import checkout_now as checkout_now
from marketplace.billing.stripe_gateway.checkout import open_checkout as open_checkout
from marketplace.billing.stripe_gateway.checkout import session_of_payment as session_of_payment
