"""Who may work on what, in which order, and why not; and how long a job may take."""

from marketplace.routing.queries.budgets import JobSpend as JobSpend
from marketplace.routing.queries.budgets import MemberSpend as MemberSpend
from marketplace.routing.queries.budgets import job_spend as job_spend
from marketplace.routing.queries.budgets import job_spends as job_spends
from marketplace.routing.queries.budgets import member_spends as member_spends
from marketplace.routing.queries.conflicts import still_apart as still_apart
from marketplace.routing.queries.conflicts import task_conflict as task_conflict
from marketplace.routing.queries.eligibility import ALLOWED as ALLOWED
from marketplace.routing.queries.eligibility import Allowed as Allowed
from marketplace.routing.queries.eligibility import Eligibility as Eligibility
from marketplace.routing.queries.eligibility import allowed as allowed
from marketplace.routing.queries.eligibility import credential_level as credential_level
from marketplace.routing.queries.eligibility import eligibility as eligibility
from marketplace.routing.queries.eligibility import load_reasons as load_reasons
from marketplace.routing.queries.eligibility import refusals as refusals
from marketplace.routing.queries.eligibility import visible_job as visible_job
from marketplace.routing.queries.feed import FEED_MAX as FEED_MAX
from marketplace.routing.queries.feed import SEATS_LOOKED_AT_MAX as SEATS_LOOKED_AT_MAX
from marketplace.routing.queries.feed import FeedEntry as FeedEntry
from marketplace.routing.queries.feed import feed as feed
from marketplace.routing.queries.feed import other_jobs as other_jobs
from marketplace.routing.queries.forecast import Supply as Supply
from marketplace.routing.queries.forecast import coarse as coarse
from marketplace.routing.queries.forecast import eligible_count as eligible_count
from marketplace.routing.queries.forecast import eligible_people as eligible_people
from marketplace.routing.queries.forecast import forecast_of as forecast_of
from marketplace.routing.queries.forecast import supply_of as supply_of
from marketplace.routing.queries.invariants import broken_invariants as broken_invariants
from marketplace.routing.queries.overlap import feasibility_of as feasibility_of
from marketplace.routing.queries.qualification import Offered as Offered
from marketplace.routing.queries.qualification import Opened as Opened
from marketplace.routing.queries.qualification import Standing as Standing
from marketplace.routing.queries.qualification import figures_of_bank as figures_of_bank
from marketplace.routing.queries.qualification import offered as offered
from marketplace.routing.queries.qualification import offered_one as offered_one
from marketplace.routing.queries.qualification import (
    qualifications_asked_by as qualifications_asked_by,
)
from marketplace.routing.queries.requirements import requirement_faults as requirement_faults
