"""The tables of specialists. Nobody outside this slice writes them."""

from marketplace.specialists.models.accommodations import Accommodation as Accommodation
from marketplace.specialists.models.catalogue import CatalogueVersion as CatalogueVersion
from marketplace.specialists.models.catalogue import CredentialTypeRow as CredentialTypeRow
from marketplace.specialists.models.catalogue import ProfessionRow as ProfessionRow
from marketplace.specialists.models.catalogue import SpecialtyRow as SpecialtyRow
from marketplace.specialists.models.credentials import CredentialAmendment as CredentialAmendment
from marketplace.specialists.models.credentials import CredentialCase as CredentialCase
from marketplace.specialists.models.credentials import CredentialChange as CredentialChange
from marketplace.specialists.models.credentials import CredentialClaim as CredentialClaim
from marketplace.specialists.models.credentials import CredentialProposal as CredentialProposal
from marketplace.specialists.models.credentials import CredentialRenewal as CredentialRenewal
from marketplace.specialists.models.evidence import EvidenceFile as EvidenceFile
from marketplace.specialists.models.links import PersonLink as PersonLink
from marketplace.specialists.models.lists import ListEntry as ListEntry
from marketplace.specialists.models.lists import ListRowStaged as ListRowStaged
from marketplace.specialists.models.lists import ListScreening as ListScreening
from marketplace.specialists.models.lists import ReferenceSnapshot as ReferenceSnapshot
from marketplace.specialists.models.lists import SanctionHit as SanctionHit
from marketplace.specialists.models.onboarding import OnboardingStep as OnboardingStep
from marketplace.specialists.models.profiles import SpecialistProfile as SpecialistProfile
from marketplace.specialists.models.qualifications import (
    QualificationResult as QualificationResult,
)
from marketplace.specialists.models.reminders import CredentialReminder as CredentialReminder
from marketplace.specialists.models.verification import GithubConnection as GithubConnection
from marketplace.specialists.models.verification import IdentityCheck as IdentityCheck
from marketplace.specialists.models.verification import VerificationEvidence as VerificationEvidence
from marketplace.specialists.models.verification import VerificationRun as VerificationRun
