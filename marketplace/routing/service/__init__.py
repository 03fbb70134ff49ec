"""The verbs that span jobs, work, review and money, by what they are about."""

from marketplace.routing.service.budgets import set_budget as set_budget
from marketplace.routing.service.budgets import set_limit as set_limit
from marketplace.routing.service.claims import HandedIn as HandedIn
from marketplace.routing.service.claims import claim_next as claim_next
from marketplace.routing.service.claims import submit_and_claim_next as submit_and_claim_next
from marketplace.routing.service.closing import close_job as close_job
from marketplace.routing.service.closing import settle_closed as settle_closed
from marketplace.routing.service.closing import unsettled_jobs as unsettled_jobs
from marketplace.routing.service.endings import Reported as Reported
from marketplace.routing.service.endings import close_gaps as close_gaps
from marketplace.routing.service.endings import report_outcome as report_outcome
from marketplace.routing.service.publishing import Quote as Quote
from marketplace.routing.service.publishing import change_job as change_job
from marketplace.routing.service.publishing import open_more_seats as open_more_seats
from marketplace.routing.service.publishing import open_seat_count as open_seat_count
from marketplace.routing.service.publishing import publish_job as publish_job
from marketplace.routing.service.publishing import quote_job as quote_job
from marketplace.routing.service.publishing import resume_job as resume_job
from marketplace.routing.service.qualification import add_places as add_places
from marketplace.routing.service.qualification import attempts_to_end as attempts_to_end
from marketplace.routing.service.qualification import end_attempt as end_attempt
from marketplace.routing.service.qualification import end_if_answered as end_if_answered
from marketplace.routing.service.qualification import start_attempt as start_attempt
from marketplace.routing.service.versions import AskedAgain as AskedAgain
from marketplace.routing.service.versions import change_version as change_version
from marketplace.routing.service.versions import quote_again as quote_again
