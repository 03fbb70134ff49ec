"""The verbs of review, by what they are about: verdicts, and the pay that they earn."""

from marketplace.review.service.adjudication import (
    lapse_next_adjudication as lapse_next_adjudication,
)
from marketplace.review.service.adjudication import settle_adjudication as settle_adjudication
from marketplace.review.service.adjudication import withdraw_adjudication as withdraw_adjudication
from marketplace.review.service.appeal_evidence import forget_appeals as forget_appeals
from marketplace.review.service.appeal_letters import remind_appeals as remind_appeals
from marketplace.review.service.appeal_letters import tell_appeals as tell_appeals
from marketplace.review.service.appeals import decide_appeal as decide_appeal
from marketplace.review.service.appeals import end_next_done_again as end_next_done_again
from marketplace.review.service.appeals import file_appeal as file_appeal
from marketplace.review.service.appeals import file_firing_appeal as file_firing_appeal
from marketplace.review.service.appeals import give_back_appeal as give_back_appeal
from marketplace.review.service.appeals import lapse_next_appeal as lapse_next_appeal
from marketplace.review.service.appeals import say_side as say_side
from marketplace.review.service.appeals import take_appeal as take_appeal
from marketplace.review.service.appeals import withdraw_appeal as withdraw_appeal
from marketplace.review.service.asking import ask_adjudication as ask_adjudication
from marketplace.review.service.brake import carry_next_held as carry_next_held
from marketplace.review.service.brake import confirm_brake as confirm_brake
from marketplace.review.service.brake import release_brake as release_brake
from marketplace.review.service.brake import release_next_overdue as release_next_overdue
from marketplace.review.service.brake_letters import tell_brake as tell_brake
from marketplace.review.service.deadlines import accept_next_overdue as accept_next_overdue
from marketplace.review.service.deadlines import remind_soon_due as remind_soon_due
from marketplace.review.service.deadlines import tell_due as tell_due
from marketplace.review.service.decisions import Said as Said
from marketplace.review.service.decisions import accept_next_arrived as accept_next_arrived
from marketplace.review.service.decisions import decide as decide
from marketplace.review.service.draws import draw as draw
from marketplace.review.service.draws import draw_waiting as draw_waiting
from marketplace.review.service.draws import is_reviewed as is_reviewed
from marketplace.review.service.draws import set_policy as set_policy
from marketplace.review.service.draws import watch as watch
from marketplace.review.service.integrity import reject_upheld as reject_upheld
from marketplace.review.service.overturning import overturn as overturn
from marketplace.review.service.pay import clear_next_due as clear_next_due
from marketplace.review.service.pay import pay_outcome as pay_outcome
from marketplace.review.service.quality_control import carry_out_next as carry_out_next
from marketplace.review.service.quality_control import change_gold as change_gold
from marketplace.review.service.quality_control import decide_firing as decide_firing
from marketplace.review.service.quality_control import decide_gold_dispute as decide_gold_dispute
from marketplace.review.service.quality_control import end_extra_gold as end_extra_gold
from marketplace.review.service.quality_control import promote_to_gold as promote_to_gold
from marketplace.review.service.returned import tell_returned as tell_returned
from marketplace.review.service.second_looks import lapse_next_look as lapse_next_look
