"""Reads of the scan for personal details, and what it means for publishing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.errors import Fault
from marketplace.jobs.models import ItemScan, Job, ScanFinding
from marketplace.jobs.rules.scan import KIND_LABELS, SURE

FINDINGS_MAX = 400


@dataclass(frozen=True, slots=True)
class ScanReport:
    """How far the scan is and what it found, the surest and the most frequent first.

    scan: None while no item has come; item_count: how many there are to look at.
    """

    scan: ItemScan | None
    findings: Sequence[ScanFinding]
    item_count: int

    @property
    def is_whole(self) -> bool:
        """Whether every item was looked at."""
        looked = self.scan.position if self.scan else 0
        return looked >= self.item_count

    @property
    def is_declared(self) -> bool:
        """Whether the lab has said something of all that was found."""
        scan = self.scan
        return bool(scan and scan.declaration and (scan.declared_found or 0) >= scan.found)


def scan_report(session: Session, job: Job) -> ScanReport:
    """The report of a job, for one who may see the job."""
    scan = session.get(ItemScan, job.id)
    rows = select(ScanFinding).where(ScanFinding.job_id == job.id)
    rows = rows.order_by(ScanFinding.found.desc(), ScanFinding.kind, ScanFinding.field)
    found = session.scalars(rows.limit(FINDINGS_MAX)).all()
    surest = sorted(found, key=lambda each: each.kind not in SURE)
    return ScanReport(scan, surest, job.item_count)


def scan_faults(session: Session, job: Job) -> list[Fault]:
    """What leaves little doubt keeps a draft back until the lab has said something of it."""
    report = scan_report(session, job)
    if report.is_declared:
        return []
    sure = [each for each in report.findings if each.kind in SURE]
    if not sure:
        return []
    kinds = ", ".join(dict.fromkeys(KIND_LABELS[each.kind] for each in sure))
    number = sum(each.found for each in sure)
    words = f"The items seem to name people: {number:,} details ({kinds}). Look at the report and "
    return [Fault("/scan", words + "say why they may be judged here, or send other items.")]


def scan_advice(session: Session, job: Job) -> list[Fault]:
    """What of the scan is worth a look before publishing."""
    report = scan_report(session, job)
    if job.item_count == 0 or report.is_declared:
        return []
    if not report.is_whole:
        words = "The scan for personal details has not looked at every item yet. What it finds "
        return [Fault("/scan", words + "after publishing may pause the job until you say why.")]
    if report.scan is None or report.scan.found == 0 or scan_faults(session, job):
        return []
    words = f"The scan found {report.scan.found:,} likely personal details in the items. "
    return [Fault("/scan", words + "Look at the report and say what they are.")]
