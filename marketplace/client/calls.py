"""A synchronous client of `/api/v1`."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import httpx

PIECE_BYTES = 16 * 1024 * 1024
TRIES = 4
AGAIN = frozenset({429, 502, 503, 504})
DONE = frozenset({"done", "failed"})

Json = dict[str, Any]


class Refusal(Exception):
    """The API said no. status: HTTP; code: for programs; faults: pointer and message."""

    def __init__(self, status: int, problem: Json) -> None:
        self.status = status
        self.code = str(problem.get("code", "unknown"))
        self.faults = [
            (str(each.get("pointer", "")), str(each.get("message", "")))
            for each in problem.get("errors", [])
        ]
        super().__init__(str(problem.get("detail") or problem.get("title") or f"HTTP {status}"))


class Client:
    """Calls with a token; usable as a context manager.

    address: such as https://marketplace.example; token: from Account, API tokens.
    """

    def __init__(self, address: str, token: str, *, timeout_seconds: float = 60) -> None:
        self._http = httpx.Client(
            base_url=address.rstrip("/") + "/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout_seconds,
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def call(self, method: str, path: str, **more: Any) -> Any:
        """One call; a POST gets a key of its own, so that trying again is safe. Raises Refusal."""
        headers = dict(more.pop("headers", {}))
        if method == "POST":
            headers.setdefault("Idempotency-Key", uuid.uuid4().hex)
        for attempt in range(1, TRIES + 1):
            try:
                answer = self._http.request(method, path, headers=headers, **more)
            except httpx.TransportError:
                if attempt == TRIES:
                    raise
            else:
                if answer.status_code not in AGAIN or attempt == TRIES:
                    return _read(answer)
            time.sleep(0.5 * 2**attempt)
        raise AssertionError("The loop returns or raises.")

    def post_job(self, job: Json) -> Json:
        """Make a draft of a job."""
        made: Json = self.call("POST", "/jobs", json=job)
        return made

    def add_items(self, job_id: str, lines: IO[bytes], *, piece_bytes: int = PIECE_BYTES) -> Json:
        """Send NDJSON in pieces; the sums of accepted, duplicates and rejected lines."""
        total: Json = {"accepted": 0, "duplicates": 0, "rejected": []}
        before = 0
        for piece, count in _pieces(lines, piece_bytes):
            report: Json = self.call(
                "POST",
                f"/jobs/{job_id}/items",
                content=piece,
                headers={"Content-Type": "application/x-ndjson"},
            )
            total["accepted"] += report["accepted"]
            total["duplicates"] += report["duplicates"]
            for fault in report["rejected"]:
                total["rejected"].append(fault | {"line": fault["line"] + before})
            before += count
        return total

    def import_file(
        self,
        job_id: str,
        file: Path,
        *,
        kind: str = "",
        labels: str = "",
        mapping: dict[str, str] | None = None,
        hold: bool = False,
    ) -> Json:
        """Send a file to be read in the background, or to be held until `read_import`.

        kind: told by the content when ""; labels: prelabels, gold or leave; mapping: column →
        field, of tables.
        """
        said = {"kind": kind, "labels": labels, "hold": "true" if hold else ""}
        said["mapping"] = json.dumps(mapping) if mapping else ""
        form = {name: value for name, value in said.items() if value}
        with file.open("rb") as content:
            started: Json = self.call(
                "POST",
                f"/jobs/{job_id}/imports",
                data=form,
                files={"file": (file.name, content, "application/octet-stream")},
            )
        return started

    def import_bucket(self, job_id: str, source: str, **more: Any) -> Json:
        """Read s3://bucket/… in the background; more: access, kind, labels, mapping, hold."""
        body = {"source": source} | {name: value for name, value in more.items() if value}
        started: Json = self.call("POST", f"/jobs/{job_id}/imports/bucket", json=body)
        return started

    def look(self, import_id: str) -> Json:
        """How a held import looks: kind, columns, first rows."""
        found: Json = self.call("GET", f"/imports/{import_id}/look")
        return found

    def read_import(self, import_id: str, **wish: Any) -> Json:
        """Read a held import now; wish: kind, labels, mapping."""
        body = {name: value for name, value in wish.items() if value}
        started: Json = self.call("POST", f"/imports/{import_id}/read", json=body)
        return started

    def drop_import(self, import_id: str) -> Json:
        """Give up a held import."""
        dropped: Json = self.call("DELETE", f"/imports/{import_id}")
        return dropped

    def import_state(self, import_id: str) -> Json:
        """How far an import is."""
        found: Json = self.call("GET", f"/imports/{import_id}")
        return found

    def rejected(self, import_id: str) -> bytes:
        """The rows of an import that could not be used, as NDJSON."""
        found: bytes = self.call("GET", f"/imports/{import_id}/rejected.jsonl")
        return found

    def job(self, job_id: str) -> Json:
        """A job."""
        found: Json = self.call("GET", f"/jobs/{job_id}")
        return found

    def scan(self, job_id: str) -> Json:
        """What the scan for personal details found in a job's items so far."""
        found: Json = self.call("GET", f"/jobs/{job_id}/scan")
        return found

    def declare(self, job_id: str, declaration: str) -> Json:
        """Say what was found: none, deidentified or permitted."""
        asked = {"declaration": declaration}
        said: Json = self.call("POST", f"/jobs/{job_id}/scan/declaration", json=asked)
        return said

    def quote(self, job_id: str) -> Json:
        """What the job would cost now."""
        quoted: Json = self.call("POST", f"/jobs/{job_id}/quote")
        return quoted

    def publish(self, job_id: str) -> Json:
        """Reserve the money and open the job."""
        opened: Json = self.call("POST", f"/jobs/{job_id}/publish")
        return opened

    def quote_version(self, job_id: str, pay: Json | None = None) -> Json:
        """What it would cost now to ask a running job's judged tasks again."""
        asked = {"pay": pay} if pay else {}
        quoted: Json = self.call("POST", f"/jobs/{job_id}/versions/quote", json=asked)
        return quoted

    def new_version(self, job_id: str, version: Json) -> Json:
        """Make a new version of a running job: change, and template or instructions_md."""
        made: Json = self.call("POST", f"/jobs/{job_id}/versions", json=version)
        return made

    def progress(self, job_id: str) -> Json:
        """How far a job is."""
        found: Json = self.call("GET", f"/jobs/{job_id}/progress")
        return found

    def export(self, job_id: str, form: str, policy: str, *, timeout_seconds: float = 3600) -> Json:
        """Ask for an export and wait until it is done or failed."""
        asked = {"format": form, "policy": policy}
        export: Json = self.call("POST", f"/jobs/{job_id}/exports", json=asked)
        until = time.monotonic() + timeout_seconds
        while export["state"] not in DONE and time.monotonic() < until:
            time.sleep(0.5)
            export = self.call("GET", f"/exports/{export['id']}")
        return export

    def download(self, export_id: str, target: Path) -> int:
        """Stream a finished export into a file, whole or not at all; its size in bytes."""
        part = target.with_name(target.name + ".part")
        with self._http.stream("GET", f"/exports/{export_id}/file") as answer:
            if answer.is_error:
                answer.read()
                _read(answer)
            with part.open("wb") as out:
                for chunk in answer.iter_bytes():
                    out.write(chunk)
        part.replace(target)
        return target.stat().st_size


def _read(answer: httpx.Response) -> Any:
    told = answer.headers.get("content-type", "")
    is_json = "json" in told and "ndjson" not in told
    if answer.is_error:
        raise Refusal(answer.status_code, answer.json() if is_json else {})
    return answer.json() if is_json else answer.content


def _pieces(lines: IO[bytes], limit: int) -> Iterator[tuple[bytes, int]]:
    """Whole lines in pieces of at most `limit` bytes, with their count; longer lines go alone."""
    piece: list[bytes] = []
    size = 0
    for line in lines:
        if piece and size + len(line) > limit:
            yield b"".join(piece), len(piece)
            piece, size = [], 0
        piece.append(line)
        size += len(line)
    if piece:
        yield b"".join(piece), len(piece)
