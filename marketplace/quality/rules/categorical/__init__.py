"""Categorical labels of many authors: what is true, and how far each author can be believed."""

from __future__ import annotations

from marketplace.quality.rules.categorical.fitting import Settings as Settings
from marketplace.quality.rules.categorical.fitting import fit as fit
from marketplace.quality.rules.categorical.prior import Prior as Prior
from marketplace.quality.rules.categorical.result import Fit as Fit
from marketplace.quality.rules.categorical.result import Member as Member
