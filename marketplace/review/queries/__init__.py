"""Reads of review, each scoped to its viewer and limited."""

from marketplace.review.queries.appeals import AppealRate as AppealRate
from marketplace.review.queries.appeals import AppealRow as AppealRow
from marketplace.review.queries.appeals import AppealView as AppealView
from marketplace.review.queries.appeals import appeal_counts as appeal_counts
from marketplace.review.queries.appeals import appeal_of as appeal_of
from marketplace.review.queries.appeals import appeal_queue as appeal_queue
from marketplace.review.queries.appeals import appeal_rates as appeal_rates
from marketplace.review.queries.appeals import appealable_until as appealable_until
from marketplace.review.queries.appeals import appeals_of as appeals_of
from marketplace.review.queries.appeals import lab_appeals as lab_appeals
from marketplace.review.queries.appeals import own_appeals as own_appeals
from marketplace.review.queries.decisions import LIMIT_MAX as LIMIT_MAX
from marketplace.review.queries.decisions import Earning as Earning
from marketplace.review.queries.decisions import decision_lines as decision_lines
from marketplace.review.queries.decisions import decisions_of as decisions_of
from marketplace.review.queries.decisions import earnings_of as earnings_of
from marketplace.review.queries.decisions import paid_for as paid_for
from marketplace.review.queries.decisions import review_queue as review_queue
from marketplace.review.queries.decisions import standing_decisions as standing_decisions
from marketplace.review.queries.decisions import waiting_jobs as waiting_jobs
from marketplace.review.queries.invariants import broken_invariants as broken_invariants
