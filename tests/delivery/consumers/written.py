"""Export files for the programs that read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from zipfile import ZipFile

from marketplace.tasktypes import TASK_TYPES, Counts, Json, Record
from tests.tasktypes.examples import EXAMPLES, record


def file_of(kind: str, form: str, records: Iterable[Record], policy: str = "all") -> bytes:
    """The bytes that a lab downloads."""
    return b"".join(TASK_TYPES[kind].exports[form].file(records, policy, Counts()))


def members_of(content: bytes) -> dict[str, bytes]:
    """The files of a ZIP by name."""
    with ZipFile(BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def marked(text: str, places: Sequence[tuple[int, int, str]]) -> Json:
    """A judgement that marks these places of a text."""
    return {
        "spans": [
            {"id": f"s{at}", "start": start, "end": end, "label": label, "text": text[start:end]}
            for at, (start, end, label) in enumerate(places)
        ]
    }


def records_of(kind: str, many: int = 3) -> list[Record]:
    """Some items of a type, each with its example judged by two."""
    example = EXAMPLES[kind]
    return [
        record(
            kind,
            example.judgement,
            example.judgement,
            payload=example.payload,
            external_id=f"item-{number}",
        )
        for number in range(many)
    ]
