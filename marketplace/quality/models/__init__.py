"""The tables of quality, by what they are about."""

from marketplace.quality.models.control import ControlFiring as ControlFiring
from marketplace.quality.models.control import ControlReplay as ControlReplay
from marketplace.quality.models.control import ControlRule as ControlRule
from marketplace.quality.models.control import ControlVersion as ControlVersion
from marketplace.quality.models.control import QualityCursor as QualityCursor
from marketplace.quality.models.gold import GoldAlarm as GoldAlarm
from marketplace.quality.models.gold import GoldDispute as GoldDispute
from marketplace.quality.models.gold import GoldItem as GoldItem
from marketplace.quality.models.gold import GoldScore as GoldScore
from marketplace.quality.models.gold import GoldTerms as GoldTerms
from marketplace.quality.models.gold import GoldVersion as GoldVersion
from marketplace.quality.models.posteriors import JobAgreement as JobAgreement
from marketplace.quality.models.posteriors import JobFit as JobFit
from marketplace.quality.models.posteriors import LabelAuthor as LabelAuthor
from marketplace.quality.models.posteriors import QuestionFit as QuestionFit
from marketplace.quality.models.posteriors import TaskPosterior as TaskPosterior
from marketplace.quality.models.skill import Skill as Skill
from marketplace.quality.models.skill import SkillEvidence as SkillEvidence
from marketplace.quality.models.skill import SkillPoint as SkillPoint
from marketplace.quality.models.skill import skill_domain as skill_domain
from marketplace.quality.rules.ballots import AuthorKind as AuthorKind
