"""The states of a job and of an import, and the words that their columns hold."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class JobState(StrEnum):
    """Where a job stands; only an open job hands out seats."""

    DRAFT = "draft"
    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"


# A draft may be given up, which closes it; nothing leads out of closed.
NEXT: Mapping[JobState, frozenset[JobState]] = {
    JobState.DRAFT: frozenset({JobState.OPEN, JobState.CLOSED}),
    JobState.OPEN: frozenset({JobState.PAUSED, JobState.CLOSED}),
    JobState.PAUSED: frozenset({JobState.OPEN, JobState.CLOSED}),
    JobState.CLOSED: frozenset(),
}
STATE_LABELS: Mapping[JobState, str] = {
    JobState.DRAFT: "Draft",
    JobState.OPEN: "Open",
    JobState.PAUSED: "Paused",
    JobState.CLOSED: "Closed",
}


class PauseReason(StrEnum):
    """Why a job is paused; it tells who may resume it and what the page advises."""

    LAB = "lab"
    MONEY = "money"
    QUALITY = "quality"
    GUIDELINE = "guideline"
    OPERATIONS = "operations"
    PERSONAL = "personal"
    LIMIT = "limit"


class LatePay(StrEnum):
    """What an answer earns that came after its lease, when somebody else has the seat."""

    FULL = "full"
    HALF = "half"


class Purpose(StrEnum):
    """Ordinary work, or a qualification: a job that shows whether a specialist fits."""

    WORK = "work"
    QUALIFICATION = "qualification"


class PayPer(StrEnum):
    """What the pay is for: one accepted judgement, or an hour of audited active time."""

    TASK = "task"
    HOUR = "hour"


class AiPolicy(StrEnum):
    """Whether a specialist may use an AI tool: never, when said so, or freely."""

    FORBIDDEN = "forbidden"
    DISCLOSED = "disclosed"
    FREE = "free"


AI_POLICY_LABELS: Mapping[AiPolicy, str] = {
    AiPolicy.FORBIDDEN: "No AI tools",
    AiPolicy.DISCLOSED: "AI tools with disclosure",
    AiPolicy.FREE: "AI tools as you like",
}


class ImportKind(StrEnum):
    """The forms of a file that an import reads; `rules.imports` says how."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    RECORDS = "records"
    ARCHIVE = "archive"
    LABEL_STUDIO = "label_studio"
    DOCCANO = "doccano"
    OASST = "oasst"
    PRM800K = "prm800k"
    TAU_BENCH = "tau_bench"
    SWE_AGENT = "swe_agent"
    SESSIONS = "sessions"
    WHO_AND_WHEN = "who_and_when"
    MESSAGES = "messages"
    COCO = "coco"
    VOC = "voc"


class Labels(StrEnum):
    """What becomes of the labels that a file brings along."""

    PRELABELS = "prelabels"
    GOLD = "gold"
    LEAVE = "leave"


LABELS_LABELS: Mapping[Labels, str] = {
    Labels.PRELABELS: "Suggestions of a model",
    Labels.GOLD: "Right answers (gold)",
    Labels.LEAVE: "Leave them out",
}


class ImportState(StrEnum):
    """Where an import stands. Held: it was looked at, and waits for a word to be read."""

    HELD = "held"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    DROPPED = "dropped"


IMPORT_NEXT: Mapping[ImportState, frozenset[ImportState]] = {
    ImportState.HELD: frozenset({ImportState.WAITING, ImportState.DROPPED}),
    ImportState.WAITING: frozenset({ImportState.RUNNING, ImportState.FAILED}),
    ImportState.RUNNING: frozenset({ImportState.DONE, ImportState.FAILED}),
    ImportState.DONE: frozenset(),
    ImportState.FAILED: frozenset(),
    ImportState.DROPPED: frozenset(),
}
