"""What can go wrong with a call, by who must act.

`MarketplaceError` is above all of them. A `Refusal` is an answer of the API: its sentence, its code
and, for faulty input, what is wrong where. `Unreachable` is no answer at all.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from marketplace.client.sending import ItemsReport


class MarketplaceError(Exception):
    """Above all errors of this client.

    report: what of an upload had arrived before, where an upload broke off.
    """

    report: ItemsReport | None = None


class NotConfigured(MarketplaceError):
    """There is no token, or the address is none."""


class Unreachable(MarketplaceError):
    """The marketplace did not answer, or not to the end; the cause tells what happened."""


class TimedOut(MarketplaceError):
    """What was waited for has not come in the time that was given; it may still come.

    last: what was seen last of it.
    """

    def __init__(self, message: str, last: Any = None) -> None:
        super().__init__(message)
        self.last = last


class Failed(MarketplaceError):
    """Work in the background ended without a result, such as an import that cannot be read.

    last: what the API says of it.
    """

    def __init__(self, message: str, last: Any = None) -> None:
        super().__init__(message)
        self.last = last


class Busy(MarketplaceError):
    """Another download is writing the same file; two would spoil it."""


class Damaged(MarketplaceError):
    """A file that came down is not the one that was announced; nothing was kept."""


class Refusal(MarketplaceError):
    """The API said no. status: of HTTP; code: for programs; faults: (pointer, message) each.

    retry_after: seconds after which the API wants to be asked again, or None.
    """

    def __init__(
        self, status: int, problem: Mapping[str, Any], retry_after: float | None = None
    ) -> None:
        self.status = status
        self.code = str(problem.get("code", "unknown"))
        self.problem = dict(problem)
        self.retry_after = retry_after
        self.faults = [
            (str(each.get("pointer", "")), str(each.get("message", "")))
            for each in problem.get("errors") or []
        ]
        super().__init__(str(problem.get("detail") or problem.get("title") or f"HTTP {status}"))


class NotSignedIn(Refusal):
    """The token is unknown, ended or revoked."""


class Denied(Refusal):
    """The token's scopes, or its person's roles, do not allow this."""


class NotFound(Refusal):
    """It is not here, or not yours to see."""


class Conflict(Refusal):
    """It cannot be done now, as things stand."""


class InsufficientFunds(Conflict):
    """The balance does not cover it."""


class LeaseLost(Conflict):
    """The task has gone to somebody else, or its time has ended."""


class LaterVersion(Refusal):
    """There is a later version of what was to be changed (If-Match)."""


class TooLarge(Refusal):
    """More than the API takes in one request."""


class Invalid(Refusal):
    """Something in the input needs mending; `faults` says what and where."""


class TooOften(Refusal):
    """Too many requests in a short time; `retry_after` says when to go on."""


class ServerFailed(Refusal):
    """The marketplace failed at it, or something that it needs does not answer."""


BY_CODE: Mapping[str, type[Refusal]] = {
    "insufficient_funds": InsufficientFunds,
    "lease_lost": LeaseLost,
}
BY_STATUS: Mapping[int, type[Refusal]] = {
    400: Invalid,
    401: NotSignedIn,
    403: Denied,
    404: NotFound,
    409: Conflict,
    412: LaterVersion,
    413: TooLarge,
    422: Invalid,
    429: TooOften,
}


def refusal_of(status: int, headers: Mapping[str, str], body: bytes) -> Refusal:
    """The refusal that an answer is; one that is not of the API becomes its status in words."""
    problem: dict[str, Any] = {}
    if "json" in headers.get("content-type", ""):
        with contextlib.suppress(ValueError):
            found = json.loads(body)
            problem = found if isinstance(found, dict) else {}
    if not problem:
        problem = {"detail": f"The server answered with HTTP {status} and nothing of the API."}
        if status in range(300, 400):
            where = headers.get("location", "elsewhere")
            problem = {"detail": f"The address has moved: HTTP {status} leads to {where}."}
    plain = ServerFailed if status >= 500 else Refusal
    kind = BY_CODE.get(str(problem.get("code", ""))) or BY_STATUS.get(status, plain)
    return kind(status, problem, seconds_of(headers.get("retry-after", "")))


def seconds_of(text: str) -> float | None:
    """A Retry-After in seconds; dates, which the API does not send, count as none."""
    return float(text) if text.strip().isdecimal() else None
