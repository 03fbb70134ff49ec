"""Rules of quality control as values: what is collected, when a rule fires, what it asks for."""

from marketplace.quality.rules.control.figures import FINE as FINE
from marketplace.quality.rules.control.figures import Caught as Caught
from marketplace.quality.rules.control.figures import Figures as Figures
from marketplace.quality.rules.control.figures import Observations as Observations
from marketplace.quality.rules.control.figures import Outlook as Outlook
from marketplace.quality.rules.control.figures import first_crossings as first_crossings
from marketplace.quality.rules.control.figures import standing as standing
from marketplace.quality.rules.control.ready import READY as READY
from marketplace.quality.rules.control.ready import Ready as Ready
from marketplace.quality.rules.control.words import ACTION_LABELS as ACTION_LABELS
from marketplace.quality.rules.control.words import COLLECTOR_LABELS as COLLECTOR_LABELS
from marketplace.quality.rules.control.words import FIRING_LABELS as FIRING_LABELS
from marketplace.quality.rules.control.words import NEXT_FIRING as NEXT_FIRING
from marketplace.quality.rules.control.words import NEXT_RULE as NEXT_RULE
from marketplace.quality.rules.control.words import RESTRICTING as RESTRICTING
from marketplace.quality.rules.control.words import Action as Action
from marketplace.quality.rules.control.words import Bound as Bound
from marketplace.quality.rules.control.words import Collector as Collector
from marketplace.quality.rules.control.words import Condition as Condition
from marketplace.quality.rules.control.words import FiringState as FiringState
from marketplace.quality.rules.control.words import RuleState as RuleState
from marketplace.quality.rules.control.words import RuleText as RuleText
from marketplace.quality.rules.control.words import Side as Side
from marketplace.quality.rules.control.words import checked as checked
from marketplace.quality.rules.control.words import sentence as sentence
