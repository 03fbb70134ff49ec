"""The verbs of specialists: profiles, claims, checks, decisions."""

from marketplace.specialists.service.claims import claim_credential as claim_credential
from marketplace.specialists.service.claims import run_checks as run_checks
from marketplace.specialists.service.decisions import close_case as close_case
from marketplace.specialists.service.decisions import decide_credential as decide_credential
from marketplace.specialists.service.decisions import expire_credentials as expire_credentials
from marketplace.specialists.service.onboarding import pass_step as pass_step
from marketplace.specialists.service.profiles import save_profile as save_profile
