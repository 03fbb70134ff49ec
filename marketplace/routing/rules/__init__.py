"""The rules of routing: ranking, the forecast of time to fill, reasons and refusals; all pure."""

from marketplace.routing.rules.forecasts import Day as Day
from marketplace.routing.rules.forecasts import Forecast as Forecast
from marketplace.routing.rules.forecasts import forecast as forecast
from marketplace.routing.rules.ranking import Offer as Offer
from marketplace.routing.rules.ranking import Standing as Standing
from marketplace.routing.rules.ranking import fit as fit
from marketplace.routing.rules.ranking import pressure as pressure
from marketplace.routing.rules.ranking import ranked as ranked
from marketplace.routing.rules.ranking import score as score
from marketplace.routing.rules.reasons import Reason as Reason
from marketplace.routing.rules.refusals import BudgetSpent as BudgetSpent
from marketplace.routing.rules.refusals import NotEligible as NotEligible
from marketplace.routing.rules.refusals import NotOpen as NotOpen
from marketplace.routing.rules.refusals import OverBudget as OverBudget
from marketplace.routing.rules.refusals import OverLimit as OverLimit
from marketplace.routing.rules.refusals import Owing as Owing
from marketplace.routing.rules.refusals import SpendingRefused as SpendingRefused
