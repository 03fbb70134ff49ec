"""The public API, as a program of somebody else would call it."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import httpx

from marketplace.errors import Refused

PREFIX = "/api/v1"
TIMEOUT_SECONDS = 120.0


class CallRefused(Refused):
    """A call was answered with a problem; the message has the call and the problem's words."""

    code = "call_refused"

    def __init__(self, call: str, status: int, problem: str, told: str) -> None:
        super().__init__(f"{call} was answered {status} {problem}: {told}")
        self.status = status
        self.problem = problem


class Client:
    """Calls with one person's token over one kept-alive connection."""

    def __init__(self, address: str, token: str) -> None:
        self._http = httpx.Client(
            base_url=f"{address}{PREFIX}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT_SECONDS,
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
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        """The answer of a GET, from JSON."""
        return self._answered(self._http.get(path, params=query)).json()

    def post(self, path: str, body: Any = None) -> Any:
        """The answer of a POST, from JSON."""
        return self._answered(self._http.post(path, json={} if body is None else body)).json()

    def put(self, path: str, body: Any, *, if_match: str) -> str:
        """Save on top of the revision that `if_match` names; the new ETag."""
        answer = self._answered(self._http.put(path, json=body, headers={"If-Match": if_match}))
        return str(answer.headers["ETag"])

    def send_lines(self, path: str, lines: list[bytes]) -> Any:
        """POST NDJSON."""
        kind = {"Content-Type": "application/x-ndjson"}
        return self._answered(self._http.post(path, content=b"\n".join(lines), headers=kind)).json()

    def file(self, path: str) -> bytes:
        """The bytes of a download."""
        return self._answered(self._http.get(path)).content

    def all(self, path: str, **asked: Any) -> Iterator[dict[str, Any]]:
        """Every item of a list, page after page; asked: what narrows the list."""
        after: Any = None
        while True:
            where = asked if after is None else {**asked, "after": after}
            page = self.get(path, limit=200, **where)
            yield from page["items"]
            after = page["next"]
            if after is None:
                return

    def _answered(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_success:
            return answer
        call = f"{answer.request.method} {answer.request.url.path}"
        try:
            problem = answer.json()
        except ValueError:
            problem = {}
        told = f"{problem.get('detail') or answer.text[:200]} {problem.get('errors') or ''}"
        raise CallRefused(call, answer.status_code, str(problem.get("code", "")), told.strip())
