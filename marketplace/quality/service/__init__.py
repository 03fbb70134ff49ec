"""The verbs of quality: what is learned from work that was judged."""

from marketplace.quality.rules.evidence import EvidenceSource as EvidenceSource
from marketplace.quality.service.scoring import score_attempt as score_attempt
from marketplace.quality.service.skill import learn as learn
from marketplace.quality.service.skill import unlearn as unlearn
from marketplace.quality.service.updates import ask_for_fit as ask_for_fit
from marketplace.quality.service.updates import rescore_task as rescore_task
from marketplace.quality.service.updates import update as update
