"""The rules of specialists: the catalogue, the checks, the lifecycle; pure."""

from marketplace.specialists.rules.catalogue import Catalogue as Catalogue
from marketplace.specialists.rules.catalogue import CredentialType as CredentialType
from marketplace.specialists.rules.catalogue import Profession as Profession
from marketplace.specialists.rules.catalogue import credential_type as credential_type
from marketplace.specialists.rules.catalogue import first_catalogue as first_catalogue
from marketplace.specialists.rules.checks import check_identifier as check_identifier
from marketplace.specialists.rules.checks import luhn_holds as luhn_holds
from marketplace.specialists.rules.checks import npi_holds as npi_holds
from marketplace.specialists.rules.checks import orcid_holds as orcid_holds
from marketplace.specialists.rules.lifecycle import HOLDING as HOLDING
from marketplace.specialists.rules.lifecycle import NEXT as NEXT
from marketplace.specialists.rules.lifecycle import CaseKind as CaseKind
from marketplace.specialists.rules.lifecycle import CaseOutcome as CaseOutcome
from marketplace.specialists.rules.lifecycle import CredentialState as CredentialState
from marketplace.specialists.rules.lifecycle import Decision as Decision
from marketplace.specialists.rules.lifecycle import Refusal as Refusal
from marketplace.specialists.rules.lifecycle import due_state as due_state
from marketplace.specialists.rules.profiles import ProfileFields as ProfileFields
from marketplace.specialists.rules.profiles import cleaned_profile as cleaned_profile
from marketplace.specialists.rules.verdicts import Outcome as Outcome
from marketplace.specialists.rules.verdicts import Verdict as Verdict
