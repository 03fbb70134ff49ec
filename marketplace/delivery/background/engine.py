"""The engine of exports: reads a snapshot in ranges of items, and writes each range's piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.delivery import queries, rules
from marketplace.delivery.background import tables
from marketplace.delivery.background.changes import changes
from marketplace.delivery.background.parts import (
    Following,
    Sink,
    Writing,
    count_record,
    index_line,
)
from marketplace.delivery.models import Export
from marketplace.delivery.rules.bundle import formats_of
from marketplace.delivery.rules.manifest import Tally
from marketplace.jobs.models import Job
from marketplace.tasktypes import (
    AuthoredJudgement,
    Exporter,
    ExportRow,
    Policy,
    Record,
    task_type,
)
from marketplace.tasktypes.raw import envelope

PART_ITEMS = 5_000
CHANGES_ITEMS = 200  # Held in memory twice, as they were and as they are.
TABLE = ".parquet"
# What the envelope tells under a policy beside what it always does.
MORE_COLUMNS: Mapping[str, tuple[str, ...]] = {
    Policy.MAJORITY: ("majority",),
    Policy.MODEL: ("labels", "labelled_by"),
}


@dataclass(slots=True)
class Piece:
    """What was written of a range of items: the bytes, the list of its items, and the sums."""

    content: Sink
    index: Sink
    tally: Tally

    def close(self) -> None:
        """Let both files go."""
        self.content.close()
        self.index.close()


class Engine:
    """One export while it is written. last: the place of the job's last item."""

    def __init__(self, export: Export, job: Job, *, part_items: int = PART_ITEMS) -> None:
        self.export, self.job = export, job
        self.exporter: Exporter = formats_of(task_type(job.task_type))[export.format]
        self._step = part_items
        with transaction() as session:
            self.known = queries.frozen_of(session, export)
            self.last = queries.last_read(session, export)
            self.base = session.get(Export, export.since_id) if export.since_id else None
            self.base_known = queries.frozen_of(session, self.base) if self.base else None
        self.read: dict[str, Tally] = {}  # By policy, where all records were asked for.

    def records(self, policy: str) -> Iterator[Record]:
        """All records under a policy; the same ones whenever it is called. What was read under
        it is counted anew each time. No other transaction may be opened between two of them."""
        tally = self.read[policy] = Tally()
        for first, until in self.ranges():
            with transaction(snapshot=True) as session:
                for record in self._some(session, policy, first, until):
                    count_record(tally, record)
                    yield record

    def ranges(self, first: int = 0) -> Iterator[tuple[int, int]]:
        """The ranges of items, each a piece: after the first number, up to the second."""
        while first < self.last:
            yield first, min(first + self._step, self.last)
            first += self._step

    def _some(self, session: Session, policy: str, first: int, until: int) -> Iterator[Record]:
        return queries.records(
            session, self.export, first=first, last=until, policy=policy, known=self.known
        )

    def piece(self, first: int, until: int, *, rows_before: int) -> Piece:
        """Write the rows of a range of items; the first range opens the file, the last ends it."""
        tally, gzipped = Tally(), self.export.compression is rules.Compression.GZIP
        piece = Piece(Sink(gzipped=gzipped), Sink(gzipped=True), tally)
        try:
            with transaction(snapshot=True) as session:
                rows = self._rows(session, piece, first, until)
                if self.exporter.suffix == TABLE:
                    tables.write_piece(Writing(piece.content), rows, self.schema)
                else:
                    self._frame(piece.content, rows, first, until, rows_before)
        except BaseException:
            piece.close()
            raise
        return piece

    def _frame(
        self, out: Sink, rows: Iterable[ExportRow], first: int, until: int, rows_before: int
    ) -> None:
        before, between, after = self.exporter.frame
        encode = self.exporter.encode
        if first == 0:
            out.write(before)
        for number, row in enumerate(rows, start=rows_before):
            out.write(between + encode(row) if number and between else encode(row))
        if until >= self.last:
            out.write(after)

    def _rows(self, session: Session, piece: Piece, first: int, until: int) -> Iterator[ExportRow]:
        policy, tally = self.export.policy, piece.tally
        if self.base is not None:
            yield from self._changes(session, piece, first, until)
            return
        following = Following(piece.index, tally)
        records = following.records(self._some(session, policy, first, until))
        yield from following.rows(self.exporter.rows(records, policy, tally.counts))

    def _changes(
        self, session: Session, piece: Piece, first: int, until: int
    ) -> Iterator[ExportRow]:
        policy, tally = self.export.policy, piece.tally
        for start in range(first, until, CHANGES_ITEMS):
            stop = min(start + CHANGES_ITEMS, until)
            now = {each.item_id: each for each in self._some(session, policy, start, stop)}
            then = {each.item_id: each for each in self._then(session, policy, start, stop)}
            for record in now.values():
                count_record(tally, record)
            for found in changes(self.exporter, policy, tally.counts, then, now):
                tally.changes[found.change] += 1
                piece.index.write(index_line(found.record, len(found.rows), found.change))
                yield from found.rows

    def _then(self, session: Session, policy: str, first: int, until: int) -> Iterator[Record]:
        if self.base is None:
            return iter(())
        return queries.records(
            session, self.base, first=first, last=until, policy=policy, known=self.base_known
        )

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns of the envelope under the export's policy."""
        given = AuthoredJudgement(annotation_id="", judgement={}, author="")
        empty = Record(item_id="", external_id="", task_type="", payload={}, judgements=(given,))
        more = {"row_sha256", *MORE_COLUMNS.get(self.export.policy, ())}
        if self.base is not None:
            more.add("change")
        return tables.schema_of({*envelope(empty, given, ""), *more})
