"""The statistics of quality: pure functions of labels, each with its source and its unknowns.

A figure that the data cannot give is None, never a guess and never an exception.
"""

from __future__ import annotations

from marketplace.quality.rules.agreement import cohen_kappa as cohen_kappa
from marketplace.quality.rules.agreement import (
    krippendorff_alpha_nominal as krippendorff_alpha_nominal,
)
from marketplace.quality.rules.agreement import percent_agreement as percent_agreement
