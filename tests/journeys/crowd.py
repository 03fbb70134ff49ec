"""Specialists at work over real connections, each with habits of their own, good and bad."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

Json = dict[str, Any]
GONE_SECONDS = 0.3  # How long to wait for a server that is away, or for a task that is not there.


@dataclass
class Rules:
    """When to stop, and how people behave until then.

    misbehave_until, stop_at: by `time.monotonic()`; lease_seconds: of the job, to sleep past it.
    """

    job_id: str
    lease_seconds: float
    misbehave_until: float
    stop_at: float


@dataclass
class Specialist(threading.Thread):
    """Works until nothing is left or time is up; remembers each answer that was acknowledged."""

    address: str
    token: str
    rules: Rules
    seed: int
    acknowledged: list[str] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self.random = Random(self.seed)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        """Claim and hand in, late at times, or give back, or say that it cannot be done."""
        headers = {"Authorization": f"Bearer {self.token}"}
        base = f"{self.address}/api/v1"
        with httpx.Client(base_url=base, headers=headers, timeout=15) as self.http:
            claim: Json | None = None
            while time.monotonic() < self.rules.stop_at:
                if claim is None:
                    claim = self.claimed()
                if claim is None:
                    time.sleep(GONE_SECONDS)
                    continue
                claim = self.ended(claim)

    def send(self, path: str, body: Json) -> httpx.Response | None:
        """One call; None when the other side was away, so that nobody knows what became of it."""
        try:
            answer = self.http.post(path, json=body)
        except httpx.TransportError:
            return None
        if answer.status_code >= 500:
            self.surprises.append(f"{path}: {answer.status_code} {answer.text[:300]}")
            return None
        return answer

    def claimed(self) -> Json | None:
        """The next task; a lost answer leaves a lease that ends by itself."""
        answer = self.send("/claims", {"job_id": self.rules.job_id})
        if answer is None or answer.status_code != 201:
            return None
        found: Json = answer.json()
        return found

    def ended(self, claim: Json) -> Json | None:
        """End a claim in one of many ways; the next one where the answer brought it."""
        habit = self.random.random()
        if time.monotonic() > self.rules.misbehave_until or habit > 0.24:
            return self.handed_in(claim, wants_next=True)
        lease = {"fence": claim["fence"]}
        if habit < 0.06:
            self.send(f"/claims/{claim['id']}/release", lease)
        elif habit < 0.08:
            report = {"kind": "cannot_complete", "evidence": "Both answers are empty."}
            self.send(f"/claims/{claim['id']}/outcome", lease | report)
        elif habit < 0.12:
            self.send(f"/claims/{claim['id']}/heartbeat", lease | {"intervals": []})
            return claim
        elif habit < 0.2:
            self.overslept(claim)
        else:
            self.twice(claim)
        return None

    def overslept(self, claim: Json) -> None:
        """Hand in after the lease, whoever has the task by then."""
        time.sleep(self.rules.lease_seconds * self.random.uniform(1.1, 4))
        self.handed_in(claim, wants_next=False)

    def twice(self, claim: Json) -> None:
        """Two windows hand in the same answer; both are told of one submission."""
        before = len(self.acknowledged)
        self.handed_in(claim, wants_next=False)
        self.handed_in(claim, wants_next=False)
        if len(set(self.acknowledged[before:])) > 1:
            self.surprises.append(f"Claim {claim['id']} became two submissions.")

    def handed_in(self, claim: Json, *, wants_next: bool) -> Json | None:
        """Hand in until somebody says that it arrived, or that it cannot."""
        body = {"fence": claim["fence"], "judgement": {"choice": "a"}, "next": wants_next}
        answer = self.send(f"/claims/{claim['id']}/submission", body)
        while answer is None and time.monotonic() < self.rules.stop_at + 30:
            time.sleep(GONE_SECONDS)
            answer = self.send(f"/claims/{claim['id']}/submission", body)
        if answer is None or answer.status_code != 201:
            return None
        told = answer.json()
        self.acknowledged.append(told["submission"]["id"])
        found: Json | None = told["claim"]
        return found


def work_together(address: str, tokens: Sequence[str], rules: Rules, seed: int) -> list[Specialist]:
    """All of them at work at once, one connection each; they have started."""
    crowd = [
        Specialist(address, token, rules, seed * 1_000 + number)
        for number, token in enumerate(tokens)
    ]
    for each in crowd:
        each.start()
    return crowd
