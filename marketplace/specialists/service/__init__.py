"""The verbs of specialists: profiles, claims, checks, decisions."""

from marketplace.specialists.service.cases import close_case as close_case
from marketplace.specialists.service.claims import claim_credential as claim_credential
from marketplace.specialists.service.claims import grant_credential as grant_credential
from marketplace.specialists.service.claims import run_checks as run_checks
from marketplace.specialists.service.claims import withdraw_credential as withdraw_credential
from marketplace.specialists.service.decisions import confirm_decision as confirm_decision
from marketplace.specialists.service.decisions import decide_credential as decide_credential
from marketplace.specialists.service.decisions import expire_credentials as expire_credentials
from marketplace.specialists.service.onboarding import pass_step as pass_step
from marketplace.specialists.service.profiles import save_profile as save_profile
from marketplace.specialists.service.renewals import recheck_credential as recheck_credential
from marketplace.specialists.service.renewals import refuse_renewal as refuse_renewal
from marketplace.specialists.service.renewals import renew_credential as renew_credential
