"""Reads of review, each scoped to its viewer and limited."""

from marketplace.review.queries.adjudication import adjudicated as adjudicated
from marketplace.review.queries.adjudication import adjudication_of as adjudication_of
from marketplace.review.queries.adjudication import adjudications_of as adjudications_of
from marketplace.review.queries.adjudication import item_of as item_of
from marketplace.review.queries.brake import brake_of as brake_of
from marketplace.review.queries.brake import brakes_of as brakes_of
from marketplace.review.queries.brake import held_by as held_by
from marketplace.review.queries.brake import held_submissions as held_submissions
from marketplace.review.queries.brake import holding_brakes as holding_brakes
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
from marketplace.review.queries.looks import draws_of as draws_of
from marketplace.review.queries.looks import policy_of as policy_of
