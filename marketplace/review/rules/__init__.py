"""The rules of review, by what they are about; pure."""

from marketplace.review.rules.verdicts import DEFECTS_MAX as DEFECTS_MAX
from marketplace.review.rules.verdicts import NOTE_MAX as NOTE_MAX
from marketplace.review.rules.verdicts import NOTE_MIN as NOTE_MIN
from marketplace.review.rules.verdicts import REWORK_ROUNDS_MAX as REWORK_ROUNDS_MAX
from marketplace.review.rules.verdicts import STATE_AFTER as STATE_AFTER
from marketplace.review.rules.verdicts import AccrualKind as AccrualKind
from marketplace.review.rules.verdicts import OwnWork as OwnWork
from marketplace.review.rules.verdicts import Severity as Severity
from marketplace.review.rules.verdicts import Verdict as Verdict
from marketplace.review.rules.verdicts import check_reasons as check_reasons
from marketplace.review.rules.verdicts import check_round as check_round
from marketplace.review.rules.verdicts import clears_at as clears_at
from marketplace.review.rules.verdicts import is_sampled as is_sampled
