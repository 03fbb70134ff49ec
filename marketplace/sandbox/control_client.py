"""The test controls from the other side: what tests and the demonstration world ask for."""

from __future__ import annotations

from datetime import date
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

    def fail_refund(self, refund: str, reason: str = "expired_or_canceled_card") -> None:
        """Have the card's bank send a refund back, also after it succeeded."""
        self._post("/refunds/fail", refund=refund, reason=reason)

    def open_dispute(
        self,
        charge: str,
        amount: int | None = None,
        reason: str = "fraudulent",
        *,
        inquiry: bool = False,
    ) -> str:
        """Have a card's holder dispute a charge, or its bank only inquire; the dispute's id."""
        answer = self._post(
            "/disputes/open", charge=charge, amount=amount, reason=reason, inquiry=inquiry
        )
        return str(answer["dispute"])

    def close_dispute(self, dispute: str, outcome: str) -> None:
        """Decide it: won, lost; of an inquiry: warning_closed, or escalated to a dispute."""
        self._post("/disputes/close", dispute=dispute, outcome=outcome)

    def fail_topup(self, topup: str, code: str = "insufficient_funds") -> None:
        """Have the platform's bank refuse a pending top-up."""
        self._post("/topups/fail", topup=topup, code=code)

    def reverse_topup(self, topup: str) -> None:
        """Have the platform's bank take a landed top-up back."""
        self._post("/topups/reverse", topup=topup)

    def return_payment(self, charge: str, code: str = "debit_not_authorized") -> None:
        """Have a bank debit come back after it succeeded (`payment_failure_refund`)."""
        self._post("/payments/return", charge=charge, code=code)

    def debit(self, account: str, amount: int, currency: str, description: str = "") -> str:
        """Take money off a connected account ("" is the platform), below zero too; the line."""
        answer = self._post(
            "/debit", account_id=account, amount=amount, currency=currency, description=description
        )
        return str(answer["line"])

    def post_line(
        self,
        kind: str,
        amount: int,
        currency: str,
        *,
        fee: int = 0,
        description: str = "",
        account: str = "",
    ) -> str:
        """A balance transaction of any type, known or not, of either sign; its id."""
        answer = self._post(
            "/lines",
            type=kind,
            amount=amount,
            currency=currency,
            fee=fee,
            description=description,
            account_id=account,
        )
        return str(answer["line"])

    def hold_reserve(self, amount: int, currency: str) -> str:
        """Have Stripe set money aside for its risk; the hold's id."""
        return str(self._post("/reserves/hold", amount=amount, currency=currency)["hold"])

    def release_reserve(self, hold: str) -> None:
        """Have Stripe let a hold go."""
        self._post("/reserves/release", hold=hold)

    def settle_in(self, currency: str | None) -> None:
        """Settle the platform's payments in one currency; None: each in its own."""
        self._post("/settlement", currency=currency)

    def set_rate(self, source: str, target: str, rate: str) -> None:
        """One unit of `source` is worth `rate` of `target` from now on."""
        self._post("/rates", source=source, target=target, rate=rate)

    def rate_limit(self, per_second: int) -> None:
        """Allow so many calls a second to each endpoint, then 429; 0 lifts the limit."""
        self._post("/pace", per_second=per_second)

    def fund_customer(self, customer: str, amount: int, currency: str, reference: str = "") -> str:
        """A bank transfer arrives on a customer's cash balance; its transaction's id."""
        answer = self._post(
            "/customers/fund",
            customer=customer,
            amount=amount,
            currency=currency,
            reference=reference,
        )
        return str(answer["transaction"])

    def wire(
        self,
        amount: int,
        currency: str,
        reference: str,
        *,
        payer: str = "A LAB",
        account: str = "client_funds",
        charges: int = 0,
    ) -> int:
        """A wire of `amount` arrives at our bank, less what banks on the way kept; the line."""
        answer = self._post(
            "/bank/lines",
            account=account,
            amount=amount,
            currency=currency,
            reference=reference,
            payer=payer,
            charges=charges,
        )
        return int(answer["number"])

    def bank_debit(
        self,
        amount: int,
        currency: str,
        reference: str,
        *,
        payee: str = "THE BANK",
        account: str = "client_funds",
        kind: str = "transfer",
    ) -> int:
        """Money leaves our bank account; kind: wire, transfer, return or fee; the line."""
        answer = self._post(
            "/bank/lines",
            account=account,
            amount=-amount,
            currency=currency,
            reference=reference,
            payer=payee,
            kind=kind,
        )
        return int(answer["number"])

    def statement(
        self,
        kind: str,
        *,
        account: str = "client_funds",
        currency: str = "usd",
        since: date | None = None,
        until: date | None = None,
    ) -> bytes:
        """Our bank's statements of these virtual days in a file: camt053, mt940 or csv."""
        days = {"since": since, "until": until}
        wanted = {"kind": kind, "account": account, "currency": currency}
        wanted |= {name: day.isoformat() for name, day in days.items() if day is not None}
        return self._http.get("/bank/statement", params=wanted).raise_for_status().content

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
