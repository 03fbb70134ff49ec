"""Imports of items with payloads of 2 KB: rows a second and peak memory, beside COPY FROM.

Run `python -m bench.delivery_imports [--rows 10000,100000] [--payload-bytes N]`. A file of lines is
read by a process of its own, as a worker does: checked, stored, its repeats found. `COPY` writes
the same payloads into the same table and checks nothing; the ratio is of its rows a second.
`bench.imports` compares the kinds of files.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from pathlib import Path

from bench.imports import bare_copy, job_of, lab, place, read

WORDS = "Steady amounts of greens are safe with warfarin, and the next check is due in a week. "
LIMIT_MIB = 300


def line(number: int, payload_bytes: int) -> bytes:
    """An item as a lab sends it, its payload of about so many bytes."""
    half = (WORDS * (payload_bytes // len(WORDS) + 1))[: payload_bytes // 2 - 60]
    payload = {
        "messages": [{"role": "user", "content": f"Question {number}"}],
        "a": f"{half} {number}",
        "b": half,
    }
    return json.dumps({"external_id": f"row-{number:08}", "payload": payload}).encode() + b"\n"


def table(rows: int, payload_bytes: int, folder: Path) -> None:
    """Print the figures for one size."""
    owner, path = lab(), folder / "items.jsonl"
    with path.open("wb") as out:
        out.writelines(line(number, payload_bytes) for number in range(rows))
    size = path.stat().st_size / 2**20
    copied = rows / bare_copy(job_of(owner), rows, line(1, payload_bytes))
    said, seconds, busy, peak = read(owner, job_of(owner), path)
    path.unlink()
    rate = rows / seconds
    over = "" if peak <= LIMIT_MIB else "  more than its limit"
    figures = f"{rows:>9,} {size:>7.0f} {copied:>11,.0f} {seconds:>8.1f} {rate:>9,.0f}"
    more = f"{rows / busy:>9,.0f} {peak:>9.0f} {rate / copied:>6.2f}"
    print(f"{figures} {more}{over}  {said}", flush=True)


def main() -> None:
    """Start a stack of its own in a temporary folder, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="10000,100000", help="sizes, by commas")
    parser.add_argument("--payload-bytes", type=int, default=2_000)
    arguments = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    head = f"{'rows':>9} {'MiB':>7} {'COPY rows/s':>11} {'seconds':>8} {'rows/s':>9} {'by CPU':>9}"
    print(f"{head} {'peak MiB':>9} {'ratio':>6}")
    with place() as folder:
        for rows in arguments.rows.split(","):
            table(int(rows), arguments.payload_bytes, folder)


if __name__ == "__main__":
    main()
