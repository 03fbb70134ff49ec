"""Background work of specialists: what time does, and what asks others."""

from marketplace.specialists.background.connections import connect_github as connect_github
from marketplace.specialists.background.connections import github_is_set_up as github_is_set_up
from marketplace.specialists.background.connections import github_url as github_url
from marketplace.specialists.background.connections import identity_url as identity_url
from marketplace.specialists.background.connections import read_identity as read_identity
from marketplace.specialists.background.connections import redact_identity as redact_identity
from marketplace.specialists.background.connections import refresh_identity as refresh_identity
from marketplace.specialists.background.evidence import purge_evidence as purge_evidence
from marketplace.specialists.background.expiry import expire as expire
from marketplace.specialists.background.lists import load_files as load_files
from marketplace.specialists.background.lists import load_list as load_list
from marketplace.specialists.background.lists import look_at_lists as look_at_lists
from marketplace.specialists.background.lists import screen as screen
from marketplace.specialists.background.lists import screen_edition as screen_edition
from marketplace.specialists.background.lists import sha256_of as sha256_of
from marketplace.specialists.background.reminders import remind as remind
from marketplace.specialists.background.reminders import tell_of_old_list as tell_of_old_list
from marketplace.specialists.background.verification import recheck as recheck
from marketplace.specialists.background.verification import verify as verify
