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
from marketplace.jobs.service.states import close_job as close_job
from marketplace.jobs.service.states import open_job as open_job
from marketplace.jobs.service.states import pause_job as pause_job
from marketplace.jobs.service.states import resume_job as resume_job
from marketplace.jobs.service.states import seats_opened as seats_opened
