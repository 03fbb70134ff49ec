"""The test controls from the other side: what tests and the demonstration world ask for."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import httpx


class ControlClient:
    """Talks to one sandbox's controls. address: such as `http://127.0.0.1:8010`; key: its key."""

    def __init__(self, address: str, secret_key: str) -> None:
        self._http = httpx.Client(
            base_url=f"{address}/sandbox/control",
            headers={"Authorization": f"Bearer {secret_key}"},
            timeout=60,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def now(self) -> int:
        """The virtual time in epoch seconds."""
        return int(self._get("/clock")["now"])

    def advance(self, seconds: int) -> int:
        """Move the clock forward and run what falls due; the new time."""
        return int(self._post("/advance", seconds=seconds)["now"])

    def settle_after(self, seconds: int) -> None:
        """How long charges wait for their balance transaction; 0 settles them at once."""
        self._post("/settle", seconds=seconds)

    def enable(self, account: str, *, holder: str = "") -> None:
        """Onboard a connected account, as if its person had passed; holder: of its bank account."""
        self._post("/accounts", account=account, action="enable", holder=holder)

    def restrict(self, account: str, reason: str = "platform_paused") -> None:
        """Disable a connected account, with Stripe's `disabled_reason`."""
        self._post("/accounts", account=account, action="restrict", reason=reason)

    def fail_payout(self, payout: str, *, account: str, code: str = "account_closed") -> None:
        """Have a bank send a payout back."""
        self._post("/payouts/fail", payout=payout, account=account, code=code)

    def fault(self, kind: str, **wanted: Any) -> None:
        """Queue a fault of calls: method, path, skip, count, seconds."""
        self._post("/faults", target="api", kind=kind, **wanted)

    def webhook_fault(self, kind: str, **wanted: Any) -> None:
        """Queue a fault of deliveries: types, skip, count, seconds, copies."""
        self._post("/faults", target="webhook", kind=kind, **wanted)

    def register(self, **person: Any) -> str:
        """Add a provider to the register: stem or number, first, last, state; their number."""
        return str(self._post("/registry/people", **person)["number"])

    def registry_fault(self, kind: str, *, count: int = 1, seconds: float = 1.0) -> None:
        """Have the register misbehave in its next calls."""
        self._post("/registry/faults", kind=kind, count=count, seconds=seconds)

    def clear_registry_faults(self) -> None:
        """The register behaves again."""
        self._http.delete("/registry/faults").raise_for_status()

    def clear_faults(self) -> None:
        """Nothing goes wrong any more."""
        self._http.delete("/faults").raise_for_status()

    def release_webhooks(self) -> int:
        """Let held webhooks go, newest first; how many."""
        return int(self._post("/webhooks/release")["released"])

    def resend(self, event: str) -> None:
        """Deliver an event once more."""
        self._post("/webhooks/resend", event=event)

    def deliveries(self) -> list[dict[str, Any]]:
        """The newest 200 deliveries."""
        return list(self._get("/webhooks/deliveries")["deliveries"])

    def _get(self, path: str) -> dict[str, Any]:
        return dict(self._http.get(path).raise_for_status().json())

    def _post(self, path: str, /, **body: Any) -> dict[str, Any]:
        return dict(self._http.post(path, json=body).raise_for_status().json())
