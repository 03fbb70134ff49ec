"""Whether the time of an answer tells that a task has gold: claim, draft, submit with the next.

Run `python -m bench.gold_times [--tasks N]`. One specialist works through a job in which every
other item, by lot, has gold; the times of the server's answers are compared: medians, and the
chance that a call about gold takes longer than one about a plain item, 50 % where times tell
nothing, with its 95 % interval (Mann & Whitney 1947; the interval by Hanley & McNeil 1982). The
median alone would hide what one call in ten gives away.
"""

from __future__ import annotations

import argparse
import platform
import random
import time
from collections import defaultdict
from math import sqrt
from statistics import median
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from bench.load.world import World, world
from marketplace import db
from marketplace.embedded import temporary
from marketplace.factory import create_app

SEED = 11
WARM_UP = 40
GOLD = """UPDATE item SET gold = '{"judgement": {"choice": "a"}}'::json
WHERE job_id = %s AND position = ANY(%s)"""
TOLD = """SELECT task.id, item.gold IS NOT NULL FROM task JOIN item ON item.id = task.item_id
WHERE task.job_id = %s"""
STEPS = ("claim", "draft", "submit", "look")
Times = dict[tuple[str, bool], list[float]]


class Program:
    """A specialist's program, with the time that each of its calls took."""

    def __init__(self, town: World, job_id: UUID) -> None:
        ((_, token),) = town.specialists(1)
        self.client = create_app(town.settings).test_client()
        self.headers = {"Authorization": f"Bearer {token}"}
        self.job_id = job_id

    def ask(self, method: str, path: str, **more: Any) -> tuple[Any, float]:
        """The body of an answer, and its milliseconds."""
        headers = self.headers | more.pop("headers", {})
        begun = time.perf_counter()
        answer = self.client.open(f"/api/v1{path}", method=method, headers=headers, **more)
        took = (time.perf_counter() - begun) * 1_000
        if answer.status_code >= 300:
            raise SystemExit(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.get_json(), took

    def task(self) -> tuple[str, dict[str, float]]:
        """One task from claim to the list of answers: its id, and the times of the steps."""
        took: dict[str, float] = {}
        claim, took["claim"] = self.ask("POST", "/claims", json={"job_id": str(self.job_id)})
        path, fence = f"/claims/{claim['id']}", {"fence": claim["fence"]}
        said = fence | {"judgement": {"choice": "a"}}
        tag = {"If-Match": '"0"'}
        _, took["draft"] = self.ask("PUT", f"{path}/draft", json=said, headers=tag)
        given, took["submit"] = self.ask("POST", f"{path}/submission", json=said)
        receipt = f"/submissions/{given['submission']['id']}/receipt"
        _, took["look"] = self.ask("GET", receipt)
        return claim["task"]["id"], took


def walked(town: World, tasks: int) -> Times:
    """The times of all steps, by step and by whether the task had gold."""
    job_id = town.job(tasks + WARM_UP + 10)
    chosen = random.Random(SEED).sample(range(1, tasks + WARM_UP + 1), (tasks + WARM_UP) // 2)
    town.owner.execute(GOLD, (job_id, chosen))
    town.owner.commit()
    town.settle()
    told: dict[object, object] = dict(town.owner.execute(TOLD, (job_id,)).fetchall())  # type: ignore[arg-type]
    town.owner.commit()
    program = Program(town, job_id)
    found: Times = defaultdict(list)
    for number in range(WARM_UP + tasks):
        task_id, took = program.task()
        for step, milliseconds in took.items() if number >= WARM_UP else ():
            found[step, bool(told[UUID(task_id)])].append(milliseconds)
    return found


def longer(gold: list[float], plain: list[float]) -> tuple[float, float, float]:
    """The chance that a call about gold takes longer, with its 95 % interval."""
    m, n = len(gold), len(plain)
    ranks: npt.NDArray[np.float64] = rankdata(np.array(gold + plain))
    chance = (float(ranks[:m].sum()) - m * (m + 1) / 2) / (m * n)
    one, two = chance / (2 - chance), 2 * chance**2 / (1 + chance)
    spread = chance * (1 - chance) + (m - 1) * (one - chance**2) + (n - 1) * (two - chance**2)
    reach = 1.96 * sqrt(spread / (m * n))
    return chance, chance - reach, chance + reach


def main() -> None:
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--tasks", type=int, default=600)
    given = asked.parse_args()
    environment = {"PUBLIC_URL": "http://localhost:8000", "LOG_LEVEL": "ERROR",
                   "STRIPE_WEBHOOK_SECRET": "whsec_bench_only_bench_only_bench"}  # fmt: skip
    with temporary() as stack, world(stack, environment, "") as town:
        found = walked(town, given.tasks)
    print(f"{platform.machine()}, Python {platform.python_version()}, {given.tasks} tasks, "
          f"seed {SEED}")  # fmt: skip
    print(f"{'step':<8}{'gold ms':>10}{'plain ms':>10}{'ratio':>8}{'longer':>9}   95 % interval")
    for step in STEPS:
        gold, plain = found[step, True], found[step, False]
        chance, low, high = longer(gold, plain)
        print(
            f"{step:<8}{median(gold):>10.2f}{median(plain):>10.2f}"
            f"{median(gold) / median(plain):>8.3f}{chance:>9.1%}   {low:.1%} to {high:.1%}"
        )
    db.disconnect()


if __name__ == "__main__":
    main()
