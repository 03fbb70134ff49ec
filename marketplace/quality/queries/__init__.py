"""Reads of quality: agreement in a job, attempts at qualifications and their marks."""

from marketplace.quality.queries.agreement import AuthorReliability as AuthorReliability
from marketplace.quality.queries.agreement import CostPoint as CostPoint
from marketplace.quality.queries.agreement import JobQuality as JobQuality
from marketplace.quality.queries.agreement import Measure as Measure
from marketplace.quality.queries.agreement import PairAgreement as PairAgreement
from marketplace.quality.queries.agreement import UnitAgreement as UnitAgreement
from marketplace.quality.queries.agreement import cost_curve as cost_curve
from marketplace.quality.queries.agreement import quality_of as quality_of
from marketplace.quality.queries.posteriors import Posterior as Posterior
from marketplace.quality.queries.posteriors import posterior_of as posterior_of
from marketplace.quality.queries.qualification import AttemptItem as AttemptItem
from marketplace.quality.queries.qualification import AttemptProgress as AttemptProgress
from marketplace.quality.queries.qualification import ResultRow as ResultRow
from marketplace.quality.queries.qualification import attempt_items as attempt_items
from marketplace.quality.queries.qualification import explanations as explanations
from marketplace.quality.queries.qualification import progress_of_attempt as progress_of_attempt
from marketplace.quality.queries.qualification import results_of as results_of
from marketplace.quality.queries.qualification import tally_of as tally_of
