"""The verbs of review, by what they are about: verdicts, and the pay that they earn."""

from marketplace.review.service.decisions import accept_next_arrived as accept_next_arrived
from marketplace.review.service.decisions import decide as decide
from marketplace.review.service.decisions import is_reviewed as is_reviewed
from marketplace.review.service.overturning import overturn as overturn
from marketplace.review.service.pay import clear_next_due as clear_next_due
from marketplace.review.service.pay import pay_outcome as pay_outcome
from marketplace.review.service.returned import tell_returned as tell_returned
