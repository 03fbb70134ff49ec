"""Background functions of quality, by what they are about."""

from marketplace.quality.background.control import evaluate_rules as evaluate_rules
from marketplace.quality.background.control import replay as replay
from marketplace.quality.background.fits import fit_changed as fit_changed
from marketplace.quality.background.fits import fit_job as fit_job
from marketplace.quality.background.gold import score_answer as score_answer
from marketplace.quality.background.gold import score_gold as score_gold
from marketplace.quality.background.gold import tell_gold as tell_gold
from marketplace.quality.background.integrity import gather_evidence as gather_evidence
from marketplace.quality.background.integrity import look_at_devices as look_at_devices
from marketplace.quality.background.integrity import look_for_signs as look_for_signs
from marketplace.quality.background.judges import ask_judge as ask_judge
from marketplace.quality.background.pipelines import compute_pipeline as compute_pipeline
from marketplace.quality.background.pipelines import follow_pipelines as follow_pipelines
from marketplace.quality.background.pipelines import route_items as route_items
