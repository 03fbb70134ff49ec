"""The verbs of work, by what they are about: seats, claims, submissions."""

from marketplace.work.service.addenda import add_judge_fault as add_judge_fault
from marketplace.work.service.claiming import NotPermitted as NotPermitted
from marketplace.work.service.claiming import claim_seat as claim_seat
from marketplace.work.service.claims import book_time as book_time
from marketplace.work.service.claims import heartbeat as heartbeat
from marketplace.work.service.claims import own_claim as own_claim
from marketplace.work.service.claims import release_claim as release_claim
from marketplace.work.service.claims import save_draft as save_draft
from marketplace.work.service.conversing import Question as Question
from marketplace.work.service.conversing import ask_models as ask_models
from marketplace.work.service.conversing import choose_reply as choose_reply
from marketplace.work.service.conversing import record_replies as record_replies
from marketplace.work.service.conversing import say as say
from marketplace.work.service.one_more import open_seat as open_seat
from marketplace.work.service.outcomes import answer_gaps as answer_gaps
from marketplace.work.service.outcomes import report_outcome as report_outcome
from marketplace.work.service.overturned import accept_after_all as accept_after_all
from marketplace.work.service.overturned import (
    check_not_answered_again as check_not_answered_again,
)
from marketplace.work.service.overturned import reject_after_all as reject_after_all
from marketplace.work.service.preferences import forget_person as forget_person
from marketplace.work.service.preferences import move_keys as move_keys
from marketplace.work.service.repeats import claim_repeat as claim_repeat
from marketplace.work.service.reserved import close_reserved_seats as close_reserved_seats
from marketplace.work.service.reserved import open_reserved_seats as open_reserved_seats
from marketplace.work.service.restrictions import restrict as restrict
from marketplace.work.service.seats import expire_leases as expire_leases
from marketplace.work.service.seats import held_state as held_state
from marketplace.work.service.seats import open_seats as open_seats
from marketplace.work.service.seats import seat_tasks as seat_tasks
from marketplace.work.service.submissions import hold_task as hold_task
from marketplace.work.service.submissions import locked_submission as locked_submission
from marketplace.work.service.submissions import settle as settle
from marketplace.work.service.submitting import submit as submit
from marketplace.work.service.unwanted import close_open_seats as close_open_seats
from marketplace.work.service.unwanted import give_up_kept_seats as give_up_kept_seats
from marketplace.work.service.unwanted import keep_seat as keep_seat
from marketplace.work.service.versions import ask_again as ask_again
from marketplace.work.service.versions import seats_judged as seats_judged
