"""The tables of review, by what they are about."""

from marketplace.review.models.decisions import Accrual as Accrual
from marketplace.review.models.decisions import Decision as Decision
