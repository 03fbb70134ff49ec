"""`Client` and `AsyncClient`: the same resources, called or awaited."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from marketplace.client.engine import Call, Engine, One, to
from marketplace.client.errors import NotConfigured
from marketplace.client.operations import Async, M, Resource, Sync, operation, pages, steps
from marketplace.client.resources import billing, delivery, finance, items, jobs, quality, review
from marketplace.client.resources import operations as platform_work
from marketplace.client.resources import work as own_work
from marketplace.client.shapes import billing as paid
from marketplace.client.shapes import delivery as delivered
from marketplace.client.shapes import jobs as told
from marketplace.client.shapes import work as worked
from marketplace.client.transports import Blocking, Place, Waiting

S = TypeVar("S", bound="Client")
A = TypeVar("A", bound="AsyncClient")
URL_VARIABLE, TOKEN_VARIABLE = "MARKETPLACE_URL", "MARKETPLACE_TOKEN"
URL_DEFAULT = "http://localhost:8000"
CONNECT_SECONDS = 10.0
TRIES = 5


class Resources(Resource[M]):
    """What a client can do, by what it is about."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.jobs: jobs.Jobs[M] = jobs.Jobs(engine)
        self.items: items.Items[M] = items.Items(engine)
        self.imports: items.Imports[M] = items.Imports(engine)
        self.images: items.Images[M] = items.Images(engine)
        self.submissions: review.Submissions[M] = review.Submissions(engine)
        self.review: review.Review[M] = review.Review(engine)
        self.exports: delivery.Exports[M] = delivery.Exports(engine)
        self.events: delivery.Events[M] = delivery.Events(engine)
        self.webhooks: delivery.Webhooks[M] = delivery.Webhooks(engine)
        self.quality: quality.QualityOfJobs[M] = quality.QualityOfJobs(engine)
        self.gold: quality.Gold[M] = quality.Gold(engine)
        self.quality_rules: quality.QualityRules[M] = quality.QualityRules(engine)
        self.model_endpoints: quality.ModelEndpoints[M] = quality.ModelEndpoints(engine)
        self.judges: quality.Judges[M] = quality.Judges(engine)
        self.pipelines: quality.Pipelines[M] = quality.Pipelines(engine)
        self.billing: billing.Billing[M] = billing.Billing(engine)
        self.claims: own_work.Claims[M] = own_work.Claims(engine)
        self.mine: own_work.Mine[M] = own_work.Mine(engine)
        self.qualifications: own_work.Qualifications[M] = own_work.Qualifications(engine)
        self.appeals: own_work.Appeals[M] = own_work.Appeals(engine)
        self.credentials: platform_work.Credentials[M] = platform_work.Credentials(engine)
        self.operations: platform_work.Operations[M] = platform_work.Operations(engine)
        self.finance: finance.Finance[M] = finance.Finance(engine)

    @operation("GET /me")
    def me(self) -> One[told.Me]:
        """Whose token it is, and its scopes."""
        return to(told.Me)

    @operation("GET /balance")
    def balance(self, currency: str = "USD") -> One[paid.Balance]:
        """A lab's money: available, reserved, on its way."""
        return to(paid.Balance, query={"currency": currency})

    @pages("GET /feed")
    def feed(self) -> One[worked.FeedJob]:
        """For a specialist: the jobs that fit, best first."""
        return to(worked.FeedJob)

    @pages("GET /statement")
    def statement(self) -> One[worked.Earning]:
        """For a specialist: what was earned, newest first."""
        return to(worked.Earning)

    @operation("GET /task-types/{key}")
    def task_type(self, key: str) -> One[delivered.TaskType]:  # noqa: ARG002 - in the path.
        """JSON Schemas of a task type's template, item and judgement, and its formats."""
        return to(delivered.TaskType)

    @steps
    async def call(self, method: str, path: str, /, **more: Any) -> Any:
        """Any call below /api/v1, with the same keys, tries and errors; its decoded answer.

        more: json, query (or params), headers, content, again, timeout_seconds.
        """
        if "params" in more:
            more["query"] = more.pop("params")
        call: Call[Any, Any] = Call(lambda _, found: found, **more)
        return await self._engine.run(method.upper(), path, call)


class Client(Resources[Sync]):
    """A client whose calls return when they are answered; usable as a context manager.

    url: such as https://marketplace.example, else MARKETPLACE_URL; token: from Account, API
    tokens, else MARKETPLACE_TOKEN; "" calls only what is public. tries: the most for one call.
    http: an httpx.Client of your own, for proxies, certificates and the like; it stays yours, as it
    is, and several clients may share it. Threads may share a client; a process that was forked
    makes its own.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        timeout_seconds: float = 60,
        tries: int = TRIES,
        http: httpx.Client | None = None,
    ) -> None:
        place = _configured(url, token)
        self._own = http is None
        with _settings_checked():
            self._http = http or httpx.Client(timeout=_timeout(timeout_seconds))
        super().__init__(Engine(Blocking(self._http, place), tries))

    def __enter__(self: S) -> S:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        if self._own:
            self._http.close()


class AsyncClient(Resources[Async]):
    """The same, for an event loop: calls are awaited, lists are iterated with `async for`."""

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        timeout_seconds: float = 60,
        tries: int = TRIES,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        place = _configured(url, token)
        self._own = http is None
        with _settings_checked():
            self._http = http or httpx.AsyncClient(timeout=_timeout(timeout_seconds))
        super().__init__(Engine(Waiting(self._http, place), tries))

    async def __aenter__(self: A) -> A:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        if self._own:
            await self._http.aclose()


def _configured(url: str | None, token: str | None) -> Place:
    """The API's address and the headers of every call. Raises NotConfigured."""
    address = _address(url or os.environ.get(URL_VARIABLE) or URL_DEFAULT)
    given = os.environ.get(TOKEN_VARIABLE) if token is None else token
    if given is None:
        raise NotConfigured(f"There is no token: pass one, or set {TOKEN_VARIABLE}.")
    # Whoever reads a token from a file gets the line's end as well.
    given = given.strip()
    if not given.isascii() or not given.isprintable() or " " in given:
        raise NotConfigured("This is no token: they begin with mkt_ and have no spaces.")
    headers = {"User-Agent": _agent(), "Accept": "application/json, */*;q=0.5"}
    if given:
        headers["Authorization"] = f"Bearer {given}"
    return Place(address.rstrip("/").removesuffix("/api/v1") + "/api/v1", headers)


def _address(text: str) -> str:
    """The address, once it is clear that it can be one. Raises NotConfigured."""
    address = text.strip()
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        # These raise for a port out of range, spaces, and brackets that do not close.
        usable = usable and (parts.port is None or parts.port > 0)
        usable = usable and address.isprintable() and " " not in address
        httpx.URL(address)
    except (ValueError, httpx.InvalidURL):
        usable = False
    if not usable:
        raise NotConfigured(f"{address!r} is no address; it looks like https://market.example.")
    return address


@contextmanager
def _settings_checked() -> Iterator[None]:
    """Say of proxies and certificates, which the environment names, that they cannot be used."""
    try:
        yield
    except ImportError:
        words = "The proxy of the environment is a SOCKS proxy: pip install 'httpx[socks]'."
        raise NotConfigured(words) from None
    except (ValueError, httpx.InvalidURL) as fault:
        raise NotConfigured(f"The proxy of the environment cannot be used: {fault}.") from None
    except OSError as fault:  # Also what the TLS library says of a file that it cannot read.
        words = f"The certificates that SSL_CERT_FILE or SSL_CERT_DIR names: {fault}."
        raise NotConfigured(words) from None


def _agent() -> str:
    try:
        own = version("marketplace")
    except PackageNotFoundError:
        own = "0"
    return f"marketplace-python/{own} python/{platform.python_version()}"


def _timeout(seconds: float) -> httpx.Timeout:
    return httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
