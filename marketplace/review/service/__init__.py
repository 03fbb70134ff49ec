"""The verbs of review, by what they are about: verdicts, and the pay that they earn."""

from marketplace.review.service.appeal_evidence import forget_appeals as forget_appeals
from marketplace.review.service.appeal_letters import remind_appeals as remind_appeals
from marketplace.review.service.appeal_letters import tell_appeals as tell_appeals
from marketplace.review.service.appeals import decide_appeal as decide_appeal
from marketplace.review.service.appeals import file_appeal as file_appeal
from marketplace.review.service.appeals import give_back_appeal as give_back_appeal
from marketplace.review.service.appeals import lapse_next_appeal as lapse_next_appeal
from marketplace.review.service.appeals import say_side as say_side
from marketplace.review.service.appeals import take_appeal as take_appeal
from marketplace.review.service.appeals import withdraw_appeal as withdraw_appeal
from marketplace.review.service.decisions import accept_next_arrived as accept_next_arrived
from marketplace.review.service.decisions import decide as decide
from marketplace.review.service.decisions import is_reviewed as is_reviewed
from marketplace.review.service.overturning import overturn as overturn
from marketplace.review.service.pay import clear_next_due as clear_next_due
from marketplace.review.service.pay import pay_outcome as pay_outcome
from marketplace.review.service.returned import tell_returned as tell_returned
