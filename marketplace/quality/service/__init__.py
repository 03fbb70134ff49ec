"""The verbs of quality: what is learned from work that was judged."""

from marketplace.quality.rules.evidence import EvidenceSource as EvidenceSource
from marketplace.quality.service.control import add_ready as add_ready
from marketplace.quality.service.control import ask_replay as ask_replay
from marketplace.quality.service.control import change_rule as change_rule
from marketplace.quality.service.control import finish_replay as finish_replay
from marketplace.quality.service.control import switch_off as switch_off
from marketplace.quality.service.control import switch_on as switch_on
from marketplace.quality.service.control import write_rule as write_rule
from marketplace.quality.service.firings import reply_to_firing as reply_to_firing
from marketplace.quality.service.gold import GOLD_CURSOR as GOLD_CURSOR
from marketplace.quality.service.gold import score_arrived as score_arrived
from marketplace.quality.service.gold import tell_scores as tell_scores
from marketplace.quality.service.gold_changes import close_alarm as close_alarm
from marketplace.quality.service.gold_changes import dispute_gold as dispute_gold
from marketplace.quality.service.gold_changes import set_exposures as set_exposures
from marketplace.quality.service.pipelines import advised as advised
from marketplace.quality.service.pipelines import drop_pipeline as drop_pipeline
from marketplace.quality.service.pipelines import go_on as go_on
from marketplace.quality.service.pipelines import set_pipeline as set_pipeline
from marketplace.quality.service.scoring import score_attempt as score_attempt
from marketplace.quality.service.skill import learn as learn
from marketplace.quality.service.skill import unlearn as unlearn
from marketplace.quality.service.updates import ask_for_fit as ask_for_fit
from marketplace.quality.service.updates import rescore_task as rescore_task
from marketplace.quality.service.updates import update as update
