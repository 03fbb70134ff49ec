"""Errors as Stripe answers them: a status, and a body with type, code, message and param."""

from __future__ import annotations

from typing import Any

INVALID = "invalid_request_error"


class ApiError(Exception):
    """A refusal in Stripe's form.

    executed: whether the call had begun its work, so that an idempotency key remembers the
    refusal; faults of the parameters are not executed and leave the key free.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = INVALID,
        code: str | None = None,
        param: str | None = None,
        executed: bool = False,
        more: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.executed = executed
        self.more = more or {}

    def body(self) -> dict[str, Any]:
        """The JSON body: `{"error": {…}}`, without the keys that have no value."""
        error: dict[str, Any] = {"message": self.message, "type": self.kind, **self.more}
        if self.code is not None:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param is not None:
            error["param"] = self.param
        return {"error": error}


def no_such(kind: str, object_id: str, *, param: str = "id", status: int = 404) -> ApiError:
    """The object is not there, or belongs to another account."""
    return ApiError(
        f"No such {kind}: '{object_id}'", status=status, code="resource_missing", param=param
    )


def refused(message: str, *, code: str, param: str | None = None, status: int = 400) -> ApiError:
    """A refusal by the work itself; an idempotency key replays it."""
    return ApiError(message, status=status, code=code, param=param, executed=True)
