"""The client's upload: rows a second, and the peak memory of a program that does nothing else.

Run `MARKETPLACE_URL=… MARKETPLACE_TOKEN=… python -m bench.delivery_upload [--rows N]`; the token is
a lab's, whose draft the items go to. `bench.delivery_api` runs it as its last line.
"""

from __future__ import annotations

import argparse
import random
import resource
import string
import time

from marketplace.client import Client

PAYLOAD_BYTES = 1_900


def main() -> None:
    """Send items with payloads of 2 KB, made one by one while they are sent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    noise = "".join(random.choices(string.ascii_letters + " ", k=PAYLOAD_BYTES))
    half = PAYLOAD_BYTES // 2
    ask = [{"role": "user", "content": "Why?"}]
    with Client() as client:
        job = client.jobs.create(title="Upload", task_type="pairwise")
        began = time.perf_counter()
        report = job.add_items(
            {
                "external_id": f"row-{number}",
                "payload": {"messages": ask, "a": f"{number} {noise[:half]}", "b": noise[half:]},
            }
            for number in range(rows)
        )
        took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"upload of {report.accepted} items: {report.accepted / took:.0f} rows/s,"
        f" {report.bytes_sent / took / 1e6:.1f} MB/s, peak {peak:.0f} MB"
    )


if __name__ == "__main__":
    main()
