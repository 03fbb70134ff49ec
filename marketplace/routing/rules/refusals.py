"""Why a claim is refused."""

from __future__ import annotations

from marketplace.errors import Refused


class NotEligible(Refused):
    """The specialist may not work on this job; the message lists the reasons."""

    code = "not_eligible"


class NotOpen(Refused):
    """The job does not hand out seats at present."""

    code = "job_not_open"


class BudgetSpent(Refused):
    """What the platform sets aside for its own qualifications is given out for now."""

    code = "qualification_budget_spent"


class SpendingRefused(Refused):
    """The lab itself does not allow this reservation; the message says what does."""

    code = "spending_refused"


class OverLimit(SpendingRefused):
    """A member would reserve more than their month allows."""

    code = "spend_limit"


class OverBudget(SpendingRefused):
    """A job would have more reserved than its budget."""

    code = "job_budget"


class Owing(SpendingRefused):
    """The lab owes us for a payment that was taken back, and settles that first."""

    code = "owing"
