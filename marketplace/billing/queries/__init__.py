"""What a lab, and the finance desk, may see of a lab's money."""

from marketplace.billing.queries.top_ups import PAGE as PAGE
from marketplace.billing.queries.top_ups import broken_invariants as broken_invariants
from marketplace.billing.queries.top_ups import top_up_of as top_up_of
from marketplace.billing.queries.top_ups import top_ups_of as top_ups_of
