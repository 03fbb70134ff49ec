"""Errors by who must act.

`Refused`: the user acts; the message is what the page shows and `code` is what the API shows.
`GatewayError`: time acts; the caller backs off and tries again. Anything else: we act.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input.

    pointer: JSON pointer into the input ("" is the whole of it); message: what to do about it.
    """

    pointer: str
    message: str


class Refused(Exception):
    """The request was understood and cannot be done as asked; the message says what to do."""

    code = "refused"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class Missing(Refused):
    """The thing is not there, or not for this viewer to know about."""

    code = "not_found"


class Denied(Refused):
    """This person may not do this."""

    code = "denied"


class SignInNeeded(Refused):
    """Nobody is signed in, or the token is unknown, expired or revoked."""

    code = "sign_in_needed"


class Conflict(Refused):
    """The thing has moved on since the caller last saw it, or is not in a state for this."""

    code = "conflict"


class TooOften(Refused):
    """A rate limit was reached; `retry_after_seconds` says when to try again."""

    code = "too_often"

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Faulty(Refused):
    """The input has faults; each names its place and what to do."""

    code = "faulty_input"

    def __init__(self, message: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults)


class TooLarge(Refused):
    """The input is over a stated limit."""

    code = "too_large"


class GatewayError(Exception):
    """An outside service did not answer as it should; time acts: back off, and try again."""
