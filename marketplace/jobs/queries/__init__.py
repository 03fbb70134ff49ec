"""Reads of jobs, their items and imports, and of qualifications' banks."""

from marketplace.jobs.queries.jobs import LIMIT_MAX as LIMIT_MAX
from marketplace.jobs.queries.jobs import ItemPreview as ItemPreview
from marketplace.jobs.queries.jobs import estimate as estimate
from marketplace.jobs.queries.jobs import import_of as import_of
from marketplace.jobs.queries.jobs import imports_of as imports_of
from marketplace.jobs.queries.jobs import items_of as items_of
from marketplace.jobs.queries.jobs import job_of as job_of
from marketplace.jobs.queries.jobs import jobs_of as jobs_of
from marketplace.jobs.queries.jobs import jobs_wanting_seats as jobs_wanting_seats
from marketplace.jobs.queries.jobs import lint as lint
from marketplace.jobs.queries.jobs import may_see as may_see
from marketplace.jobs.queries.jobs import payload_text as payload_text
from marketplace.jobs.queries.jobs import rejected_lines as rejected_lines
from marketplace.jobs.queries.jobs import rejected_rows as rejected_rows
from marketplace.jobs.queries.jobs import template_version as template_version
from marketplace.jobs.queries.jobs import template_versions as template_versions
from marketplace.jobs.queries.qualification import FormItem as FormItem
from marketplace.jobs.queries.qualification import bank as bank
from marketplace.jobs.queries.qualification import bank_of as bank_of
from marketplace.jobs.queries.qualification import form_items as form_items
from marketplace.jobs.queries.qualification import qualification_faults as qualification_faults
from marketplace.jobs.queries.qualification import qualification_of as qualification_of
from marketplace.jobs.queries.qualification import qualifications_for as qualifications_for
from marketplace.jobs.queries.qualification import terms_of as terms_of
