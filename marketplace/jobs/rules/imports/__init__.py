"""Kinds of imports: how a file is known by its content, and the lines of items it comes to.

Each kind is one module with one `Kind`; a new one is added to `KINDS`, before the kinds whose
files look less particular. Readers are pure and streaming: memory is bounded by a row, the same
file gives the same lines, and reading goes on behind any line that was stored (`after`). Lines of
one document share its number and its end, and are stored in one transaction. What a reader cannot
use is a Fault in place of the line; what it leaves out of a line it counts in `Reading.left`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from marketplace.errors import Fault, Faulty
from marketplace.jobs.rules.imports.coco import COCO
from marketplace.jobs.rules.imports.contract import HEAD_BYTES as HEAD_BYTES
from marketplace.jobs.rules.imports.contract import Head as Head
from marketplace.jobs.rules.imports.contract import Kind as Kind
from marketplace.jobs.rules.imports.contract import Reading as Reading
from marketplace.jobs.rules.imports.contract import Source as Source
from marketplace.jobs.rules.imports.contract import item as item
from marketplace.jobs.rules.imports.contract import line_of as line_of
from marketplace.jobs.rules.imports.csv_file import CSV
from marketplace.jobs.rules.imports.doccano import DOCCANO
from marketplace.jobs.rules.imports.jsonl import JSONL
from marketplace.jobs.rules.imports.label_studio import LABEL_STUDIO
from marketplace.jobs.rules.imports.oasst import OASST
from marketplace.jobs.rules.imports.objects import documents_of as documents_of
from marketplace.jobs.rules.imports.parquet import PARQUET
from marketplace.jobs.rules.imports.prm800k import PRM800K
from marketplace.jobs.rules.imports.records import RECORDS
from marketplace.jobs.rules.imports.traces import (
    MESSAGES,
    SESSIONS,
    SWE_AGENT,
    TAU_BENCH,
    WHO_AND_WHEN,
)
from marketplace.jobs.rules.imports.voc import VOC
from marketplace.jobs.rules.lifecycle import ImportKind

# The most telling first: a file is of the first kind that it fits and that its job can use.
_ORDER = (
    PARQUET,
    VOC,
    JSONL,
    PRM800K,
    OASST,
    TAU_BENCH,
    WHO_AND_WHEN,
    SESSIONS,
    SWE_AGENT,
    COCO,
    LABEL_STUDIO,
    DOCCANO,
    MESSAGES,
    RECORDS,
    CSV,
)
KINDS: Mapping[ImportKind, Kind] = MappingProxyType({kind.key: kind for kind in _ORDER})
# What a file is that no import reads, by its first bytes.
_FOREIGN = (
    (b"\xff\xfe", "This is text in UTF-16. Save it as UTF-8 and send it again."),
    (b"\xfe\xff", "This is text in UTF-16. Save it as UTF-8 and send it again."),
    (b"\x1f\x8b", "This is compressed with gzip. Unpack it and send it again."),
    (b"BZh", "This is compressed with bzip2. Unpack it and send it again."),
    (b"\x28\xb5\x2f\xfd", "This is compressed with zstd. Unpack it and send it again."),
    (b"%PDF", "This is a PDF. Send the texts in it as JSONL or CSV."),
    (b"\xd0\xcf\x11\xe0", "This is an old Office file. Save it as CSV in UTF-8."),
)
_DICOM = slice(128, 132)
# How a file begins whose name promises a form that is no text.
_PROMISED = {"parquet": (b"PAR1", "Parquet file"), "zip": (b"PK", "zip file")}
# A file that looks like one of these is nothing else, even where it could be read as records.
_UNMISTAKABLE = frozenset(
    {
        ImportKind.PRM800K,
        ImportKind.OASST,
        ImportKind.TAU_BENCH,
        ImportKind.WHO_AND_WHEN,
        ImportKind.SESSIONS,
        ImportKind.SWE_AGENT,
        ImportKind.COCO,
    }
)


def kinds_for(task_type: str) -> list[Kind]:
    """The kinds that make items of a task type, the most telling first."""
    return [kind for kind in KINDS.values() if kind.makes(task_type)]


def kind_named(key: str, task_type: str) -> Kind:
    """The kind of this key; Faulty with those there are for the task type."""
    found = KINDS.get(ImportKind(key)) if key in {*ImportKind} else None
    if found is None or not found.makes(task_type):
        there = ", ".join(kind.key for kind in kinds_for(task_type))
        words = f"“{key[:40]}” is no kind of file for {task_type}. There are {there}."
        raise Faulty(words, [Fault("/kind", words)])
    return found


def refuse_foreign(head: Head) -> None:
    """Faulty for files that no kind reads, with what to do instead."""
    if head.content[_DICOM] == b"DICM":
        words = "This is DICOM. It names patients, so we do not take it yet: send PNG or TIFF."
        raise Faulty(words, [Fault("/file", words)])
    for magic, words in _FOREIGN:
        if head.content.startswith(magic):
            raise Faulty(words, [Fault("/file", words)])
    if not head.content.strip():
        words = "This file is empty." if head.whole else "This file begins with nothing but blanks."
        raise Faulty(words, [Fault("/file", words)])
    magic, title = _PROMISED.get(head.suffix, (b"", ""))
    if not head.content.startswith(magic):
        words = f"This is called a {title}, but does not begin like one. Write it anew and send it."
        raise Faulty(words, [Fault("/file", words)])


def kind_of(head: Head, task_type: str) -> Kind:
    """The kind that a file's content shows; Faulty where it is none, or none for this job."""
    refuse_foreign(head)
    fitting = [kind for kind in KINDS.values() if kind.fits(head)]
    for kind in fitting:
        if kind.makes(task_type):
            return kind
        if kind.key in _UNMISTAKABLE:
            break
    if fitting:
        words = f"This looks like {fitting[0].title}, which makes no items of {task_type}."
        words += " Name another kind if it is one."
    else:
        names = ", ".join(dict.fromkeys(kind.title for kind in kinds_for(task_type)))
        words = f"We do not know this form of file. We read {names}."
    raise Faulty(words, [Fault("/file", words)])
