"""The tables of review, by what they are about."""

from marketplace.review.models.adjudication import Adjudication as Adjudication
from marketplace.review.models.appeals import Appeal as Appeal
from marketplace.review.models.appeals import AppealEvidence as AppealEvidence
from marketplace.review.models.bonuses import Bonus as Bonus
from marketplace.review.models.brake import Brake as Brake
from marketplace.review.models.brake import HeldDecision as HeldDecision
from marketplace.review.models.decisions import Accrual as Accrual
from marketplace.review.models.decisions import Decision as Decision
from marketplace.review.models.looks import ReviewDraw as ReviewDraw
from marketplace.review.models.looks import ReviewPolicy as ReviewPolicy
from marketplace.review.models.looks import ReviewWatch as ReviewWatch
from marketplace.review.models.looks import SecondLook as SecondLook
