"""Reads of specialists: their own, what operations needs, and what a lab may know."""

from marketplace.specialists.queries.attention import WANTS_HOLDER as WANTS_HOLDER
from marketplace.specialists.queries.attention import wanting_count as wanting_count
from marketplace.specialists.queries.attested import Attested as Attested
from marketplace.specialists.queries.attested import AttestedPerson as AttestedPerson
from marketplace.specialists.queries.attested import attested as attested
from marketplace.specialists.queries.attested import attested_at as attested_at
from marketplace.specialists.queries.catalogue import catalogue as catalogue
from marketplace.specialists.queries.connections import github_of as github_of
from marketplace.specialists.queries.connections import identity_of as identity_of
from marketplace.specialists.queries.connections import subject_of as subject_of
from marketplace.specialists.queries.credentials import LIMIT_MAX as LIMIT_MAX
from marketplace.specialists.queries.credentials import ClaimDetail as ClaimDetail
from marketplace.specialists.queries.credentials import claim_of as claim_of
from marketplace.specialists.queries.credentials import credentials_of as credentials_of
from marketplace.specialists.queries.credentials import evidence_file as evidence_file
from marketplace.specialists.queries.credentials import open_cases as open_cases
from marketplace.specialists.queries.credentials import queue as queue
from marketplace.specialists.queries.credentials import sides_of as sides_of
from marketplace.specialists.queries.credentials import waiting_counts as waiting_counts
from marketplace.specialists.queries.credentials import waiting_since as waiting_since
from marketplace.specialists.queries.licence_names import licence_names_of as licence_names_of
from marketplace.specialists.queries.lists import open_hits as open_hits
from marketplace.specialists.queries.lists import payouts_held as payouts_held
from marketplace.specialists.queries.onboarding import Passed as Passed
from marketplace.specialists.queries.onboarding import steps_passed as steps_passed
from marketplace.specialists.queries.profiles import profile_of as profile_of
