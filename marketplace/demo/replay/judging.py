"""Three people at work at once, each giving the answers that were recorded of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from marketplace.demo.replay.client import Client
from marketplace.demo.replay.crew import Judging
from marketplace.demo.replay.source import Comparison, number_of
from marketplace.errors import Refused

DRAFT_EVERY = 25
TELL_SECONDS = 1.0
TRIES = 20
TRY_SECONDS = 0.25


class TasksMissing(Refused):
    """A specialist was not offered every task of the job."""

    code = "tasks_missing"


@dataclass(slots=True)
class Count:
    """How many answers have been handed in, by all threads together."""

    done: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def one_more(self) -> None:
        """Count an answer."""
        with self._lock:
            self.done += 1


def judge_all(
    job_id: str,
    people: Sequence[Judging],
    items: Sequence[Comparison],
    tell: Callable[[int, float], None],
) -> int:
    """Everybody answers every item; how many answers were handed in.

    tell: called about once a second with the answers so far and the seconds since the start.
    """
    count, began = Count(), time.monotonic()
    with ThreadPoolExecutor(len(people)) as pool:
        running = {
            pool.submit(_judge, job_id, one.api, _answers(items, place), count)
            for place, one in enumerate(people)
        }
        while running:
            ended, running = wait(running, TELL_SECONDS, return_when=FIRST_COMPLETED)
            for future in ended:
                future.result()
            tell(count.done, time.monotonic() - began)
    return count.done


def _answers(items: Sequence[Comparison], place: int) -> dict[int, str]:
    return {item.number: item.choices[place] for item in items}


def _judge(job_id: str, api: Client, answers: dict[int, str], count: Count) -> None:
    """Go from task to task in one round trip each; now and then a draft is saved before."""
    claim = _first_claim(job_id, api)
    left = dict(answers)
    while left:
        number = number_of(claim["task"]["payload"])
        judgement = {"choice": left.pop(number)}
        fenced = {"fence": claim["fence"], "judgement": judgement}
        if len(left) % DRAFT_EVERY == 0:
            api.put(f"/claims/{claim['id']}/draft", fenced, if_match=claim["etag"])
        body = fenced | {"ai_use": {"used": False}, "next": bool(left)}
        handed_in = api.post(f"/claims/{claim['id']}/submission", body)
        count.one_more()
        if left:
            claim = handed_in["claim"] or _first_claim(job_id, api)


def _first_claim(job_id: str, api: Client) -> dict[str, Any]:
    """A task of the job; seats that others are taking at this moment are waited for."""
    for _ in range(TRIES):
        claimed: dict[str, Any] = api.post("/claims", {"job_id": job_id})
        if claimed.get("id"):
            return claimed
        time.sleep(TRY_SECONDS)
    raise TasksMissing(f"The API offers no further task: {claimed.get('reasons')}")
