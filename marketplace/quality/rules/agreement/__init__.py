"""Agreement between authors beyond chance, each figure with what it stands on and its interval.

`alpha`, `ac1`, `fleiss` and `observed` take the labels of each item, whoever gave them; `cohen`
takes pairs of the same two authors. `Tally` and `PairTally` keep what these need, item by item, so
that a figure is brought up to date without reading the rest again.
"""

from __future__ import annotations

from marketplace.quality.rules.agreement.kappa import PairTally as PairTally
from marketplace.quality.rules.agreement.kappa import cohen as cohen
from marketplace.quality.rules.agreement.measures import Level as Level
from marketplace.quality.rules.agreement.measures import ac1 as ac1
from marketplace.quality.rules.agreement.measures import alpha as alpha
from marketplace.quality.rules.agreement.measures import fleiss as fleiss
from marketplace.quality.rules.agreement.measures import observed as observed
from marketplace.quality.rules.agreement.plain import cohen_kappa as cohen_kappa
from marketplace.quality.rules.agreement.plain import (
    krippendorff_alpha_nominal as krippendorff_alpha_nominal,
)
from marketplace.quality.rules.agreement.plain import percent_agreement as percent_agreement
from marketplace.quality.rules.agreement.rows import Agreement as Agreement
from marketplace.quality.rules.agreement.rows import Rows as Rows
from marketplace.quality.rules.agreement.tally import Tally as Tally
