"""The statistics of judges: agreement, standing, biases, drift, and how many items they need."""

from marketplace.quality.rules.judges.biases import Bin as Bin
from marketplace.quality.rules.judges.biases import Calibration as Calibration
from marketplace.quality.rules.judges.biases import LengthBias as LengthBias
from marketplace.quality.rules.judges.drift import Moved as Moved
from marketplace.quality.rules.judges.drift import moved as moved
from marketplace.quality.rules.judges.drift import shift as shift
from marketplace.quality.rules.judges.kappas import Agreement as Agreement
from marketplace.quality.rules.judges.kappas import agreement as agreement
from marketplace.quality.rules.judges.kappas import kappa as kappa
from marketplace.quality.rules.judges.ratings import Figure as Figure
from marketplace.quality.rules.judges.ratings import Level as Level
from marketplace.quality.rules.judges.ratings import Ratings as Ratings
from marketplace.quality.rules.judges.ratings import weights as weights
from marketplace.quality.rules.judges.report import Finding as Finding
from marketplace.quality.rules.judges.report import finding as finding
from marketplace.quality.rules.judges.report import findings as findings
from marketplace.quality.rules.judges.standing import Rule as Rule
from marketplace.quality.rules.judges.standing import Standing as Standing
from marketplace.quality.rules.judges.standing import rule as rule
