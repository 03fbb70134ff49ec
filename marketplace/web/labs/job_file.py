"""A job as a file, in YAML: what `marketplace job post` takes, and what the form says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from marketplace.errors import Fault, Faulty
from marketplace.jobs import service
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobFields, document_of, fields_of
from marketplace.jobs.rules.document import PLACES
from marketplace.tasktypes import Json
from marketplace.web.labs import template_form

FIELD = "/document"
HEAD = "# A job. Post it with: marketplace job post FILE\n"


class _Dumper(yaml.SafeDumper):
    """Texts of several lines stand as blocks, as people write them."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # A block cannot hold blanks before a line's end, nor what YAML does not print.
    block = "\n" in text and not any(line != line.rstrip() for line in text.split("\n"))
    style = "|" if block and text.replace("\n", "").isprintable() else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def written(job: Job, template: Json) -> str:
    """The file of a job, stored or sketched."""
    fields: Mapping[str, Any] = {
        name: template if name == "template" else getattr(job, name) for name in PLACES
    } | {"pay": job.pay}
    document = document_of(job.task_type, fields)
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return HEAD + str(text)


def read(text: str) -> tuple[str, JobFields]:
    """The task type and the fields that a file says; Faulty with the places of its faults.

    All faults stand at the one field that the text was typed into, each with its own pointer.
    """
    parsed, faults = template_form.parsed(text.strip() or "{}")
    if faults:
        raise Faulty("The file cannot be read.", [Fault(FIELD, one.message) for one in faults])
    try:
        return fields_of(parsed)
    except Faulty as faulty:
        raise at_the_text(faulty) from None


def at_the_text(faulty: Faulty) -> Faulty:
    """The same faults, at the field that holds the whole document."""
    told = [Fault(FIELD, f"{one.pointer or '/'}: {one.message}") for one in faulty.faults]
    return Faulty(faulty.message, told)


def sketched(kind: str, fields: JobFields) -> tuple[Job, Json]:
    """The job and the template that a file or a form describes, kept nowhere."""
    return service.sketch(kind, **fields), fields.get("template", {})
