"""The tables of quality, by what they are about."""

from marketplace.quality.models.skill import Skill as Skill
from marketplace.quality.models.skill import SkillEvidence as SkillEvidence
from marketplace.quality.models.skill import SkillPoint as SkillPoint
from marketplace.quality.models.skill import skill_domain as skill_domain
