"""The scan for personal details: what is looked for, and what a report may say of it."""

from marketplace.jobs.rules.scan.kinds import KIND_LABELS as KIND_LABELS
from marketplace.jobs.rules.scan.kinds import SCANNER_VERSION as SCANNER_VERSION
from marketplace.jobs.rules.scan.kinds import SURE as SURE
from marketplace.jobs.rules.scan.kinds import Personal as Personal
from marketplace.jobs.rules.scan.kinds import masked as masked
from marketplace.jobs.rules.scan.patterns import found_in as found_in
from marketplace.jobs.rules.scan.tally import DECLARATION_LABELS as DECLARATION_LABELS
from marketplace.jobs.rules.scan.tally import PLACES_MAX as PLACES_MAX
from marketplace.jobs.rules.scan.tally import Declaration as Declaration
from marketplace.jobs.rules.scan.tally import Tally as Tally
from marketplace.jobs.rules.scan.tally import kept_field as kept_field
