"""What a proof is called, what it states, and who finds salts in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

SUFFIX = ".proof.jsonl.gz"
BUNDLED = "proof.jsonl.gz"  # What it is called inside a bundle.
# The formats that tell judgements as they were handed in, so that their commitments open.
ENVELOPES = frozenset({"raw", "raw_parquet", "hf_dataset"})


def proof_name(filename: str) -> str:
    """What the proof of a file is called."""
    return filename + SUFFIX


def export_statement(
    *,
    export_id: UUID,
    job_id: UUID,
    form: str,
    policy: str,
    as_of_event: int,
    head: bytes,
    files: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """What the platform signs of an export: which it is, up to which event, and what its files are.

    files: name, unit, bytes, sha256, how many lines, and the SHA-256 of their digests, each.
    """
    return {
        "export_id": str(export_id),
        "job_id": str(job_id),
        "format": form,
        "policy": policy,
        "as_of_event": as_of_event,
        "head": head.hex(),
        "files": list(files),
    }
