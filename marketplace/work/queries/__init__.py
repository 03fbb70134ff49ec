"""Reads of work, each scoped to its viewer and limited."""

from marketplace.work.queries.claims import LIMIT_MAX as LIMIT_MAX
from marketplace.work.queries.claims import ClaimView as ClaimView
from marketplace.work.queries.claims import bring as bring
from marketplace.work.queries.claims import claim_of as claim_of
from marketplace.work.queries.claims import claims_in_hand as claims_in_hand
from marketplace.work.queries.claims import drafts_of as drafts_of
from marketplace.work.queries.claims import material as material
from marketplace.work.queries.claims import view_of as view_of
from marketplace.work.queries.invariants import broken_invariants as broken_invariants
from marketplace.work.queries.outcomes import OutcomeView as OutcomeView
from marketplace.work.queries.outcomes import outcomes_of as outcomes_of
from marketplace.work.queries.prelabels import prelabels_of as prelabels_of
from marketplace.work.queries.prelabels import prelabels_of_task as prelabels_of_task
from marketplace.work.queries.progress import Progress as Progress
from marketplace.work.queries.progress import progress_of as progress_of
from marketplace.work.queries.progress import progress_of_many as progress_of_many
from marketplace.work.queries.progress import throughput_of as throughput_of
from marketplace.work.queries.receipts import Receipt as Receipt
from marketplace.work.queries.receipts import addenda_of as addenda_of
from marketplace.work.queries.receipts import receipt_of as receipt_of
from marketplace.work.queries.submissions import SubmissionView as SubmissionView
from marketplace.work.queries.submissions import former_rounds as former_rounds
from marketplace.work.queries.submissions import own_submissions as own_submissions
from marketplace.work.queries.submissions import submission_of as submission_of
from marketplace.work.queries.submissions import submissions_of as submissions_of
from marketplace.work.queries.submissions import version_of as version_of
