"""What each export format is, whichever task type offers it: its name, who reads it, its columns.

A task type adds how its own judgements become rows: `HH_RLHF.by(convert)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.tasktypes.exports import (
    Column,
    Convert,
    Document,
    Exporter,
    ExportRow,
    Members,
    Policy,
    line,
)

EVERY = frozenset({Policy.ALL})
VOTED = frozenset({Policy.MAJORITY, Policy.ALL})

EXTERNAL_ID = Column("external_id", "text", "Your own name of the item.")
ANNOTATION_ID = Column("annotation_id", "text", "The judgement, by the name it has everywhere.")
MESSAGES = "list of messages"
PROMPT = Column("prompt", MESSAGES, "What was asked, `{role, content}` each.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format. help: who reads the file, and what it cannot hold; otherwise as `Exporter`."""

    key: str
    title: str
    help: str
    columns: tuple[Column, ...]
    policies: frozenset[Policy] = VOTED
    suffix: str = ".jsonl"
    encode: Callable[[ExportRow], bytes] = line
    frame: tuple[bytes, bytes, bytes] = (b"", b"", b"")
    document: Document | None = None
    members: Members | None = None

    def by(
        self,
        convert: Convert,
        *,
        title: str = "",
        says: str = "",
        more: tuple[Column, ...] = (),
        policies: frozenset[Policy] | None = None,
    ) -> Exporter:
        """The format as a task type writes it. says: what its help tells besides; more: columns
        beside the format's own."""
        return Exporter(
            key=self.key,
            title=title or self.title,
            convert=convert,
            help=f"{self.help} {says}".strip(),
            columns=(*self.columns, *more),
            policies=self.policies if policies is None else policies,
            suffix=self.suffix,
            encode=self.encode,
            frame=self.frame,
            document=self.document,
            members=self.members,
        )
