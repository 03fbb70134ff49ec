"""The verbs of quality: what is learned from work that was judged."""

from marketplace.quality.service.scoring import score_attempt as score_attempt
from marketplace.quality.service.skill import learn as learn
