"""The verbs of jobs, by what they are about: drafts, items, imports, states."""

from marketplace.jobs.service.drafts import change_job as change_job
from marketplace.jobs.service.drafts import create_job as create_job
from marketplace.jobs.service.drafts import raise_pay as raise_pay
from marketplace.jobs.service.imports import advance_import as advance_import
from marketplace.jobs.service.imports import begin_import as begin_import
from marketplace.jobs.service.imports import fail_import as fail_import
from marketplace.jobs.service.imports import finish_import as finish_import
from marketplace.jobs.service.imports import start_import as start_import
from marketplace.jobs.service.items import ItemsReport as ItemsReport
from marketplace.jobs.service.items import add_items as add_items
from marketplace.jobs.service.qualification import NoPlaceLeft as NoPlaceLeft
from marketplace.jobs.service.qualification import check_qualifications as check_qualifications
from marketplace.jobs.service.qualification import deal_forms as deal_forms
from marketplace.jobs.service.qualification import drop_terms as drop_terms
from marketplace.jobs.service.qualification import locked_terms as locked_terms
from marketplace.jobs.service.qualification import more_places as more_places
from marketplace.jobs.service.qualification import retire_item as retire_item
from marketplace.jobs.service.qualification import return_place as return_place
from marketplace.jobs.service.qualification import set_terms as set_terms
from marketplace.jobs.service.qualification import take_place as take_place
from marketplace.jobs.service.states import close_job as close_job
from marketplace.jobs.service.states import open_job as open_job
from marketplace.jobs.service.states import pause_job as pause_job
from marketplace.jobs.service.states import resume_job as resume_job
from marketplace.jobs.service.states import seats_opened as seats_opened
