"""flask-smorest as we use it: OpenAPI 3.1, problem+json, bearer tokens, scopes in the document."""

from __future__ import annotations

import http
from collections.abc import Callable
from copy import deepcopy
from typing import Any, TypeVar, cast

from flask import Flask
from flask_smorest import Api, Blueprint
from flask_smorest.utils import prepare_response
from marshmallow import Schema

from marketplace.web.api import statuses
from marketplace.web.api.answers import Problem
from marketplace.web.api.bodies import BodyParser
from marketplace.web.errors import API_PREFIX, PROBLEM
from marketplace.web.guards import MARK, Access, Guard

View = TypeVar("View", bound=Callable[..., Any])
CONFIGURATION = {
    "API_TITLE": "Marketplace",
    "API_VERSION": "v1",
    "OPENAPI_VERSION": "3.1.0",
    "API_SPEC_OPTIONS": {
        "info": {
            "description": (
                "JSON over HTTPS. Send `Authorization: Bearer <token>`. Errors are "
                "`application/problem+json` with a `code` for programs. A POST takes an optional "
                "`Idempotency-Key`. Lists take `limit` and `after`, and answer `next`."
            )
        },
        "security": [{"bearer": []}],
    },
}


class MarketplaceApi(Api):  # type: ignore[misc]
    """The API with our one way to show errors instead of flask-smorest's."""

    ERROR_SCHEMA = Problem
    # Each operation names the refusals that it can give; none is left to a default.
    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """Errors are shown by web.errors, here as everywhere."""

    def _register_responses(self) -> None:
        for status in http.HTTPStatus:
            if status >= 400:
                answer = statuses.problem_answer(status, self.ERROR_SCHEMA)
                prepare_response(answer, self.spec, PROBLEM)
                self.spec.components.response(status.name, answer, lazy=True)


class MarketplaceBlueprint(Blueprint):  # type: ignore[misc]
    """A blueprint whose document names the scope that each operation needs.

    The decorators are flask-smorest's; they are repeated here because it publishes no types.
    """

    ARGUMENTS_PARSER = BodyParser()

    def get(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Answer GET."""
        return cast("Callable[[View], View]", super().get(rule, **options))

    def post(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Answer POST; `@once` stands below the guard where the call has an effect."""
        return cast("Callable[[View], View]", super().post(rule, **options))

    def put(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Answer PUT."""
        return cast("Callable[[View], View]", super().put(rule, **options))

    def patch(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Answer PATCH."""
        return cast("Callable[[View], View]", super().patch(rule, **options))

    def delete(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Answer DELETE."""
        return cast("Callable[[View], View]", super().delete(rule, **options))

    def arguments(
        self, schema: type[Schema] | Schema, *, location: str = "json", **options: Any
    ) -> Callable[[View], View]:
        """Load the body (or the `query`) with a schema; the view gets it as the next argument."""
        # One instance for all requests: to make one takes longer than to load most bodies.
        once = schema() if isinstance(schema, type) else schema
        loaded = super().arguments(once, location=location, **options)
        return cast("Callable[[View], View]", loaded)

    def response(
        self, status_code: int, schema: type[Schema] | Schema | None = None, **options: Any
    ) -> Callable[[View], View]:
        """Answer what the view returns, as the schema shows it; a Response passes as it is."""
        return cast("Callable[[View], View]", super().response(status_code, schema, **options))

    def alt_response(self, status_code: int, **options: Any) -> Callable[[View], View]:
        """Document another answer that the view can give."""
        return cast("Callable[[View], View]", super().alt_response(status_code, **options))

    def doc(self, **facts: Any) -> Callable[[View], View]:
        """Add to the operation's document."""
        return cast("Callable[[View], View]", super().doc(**facts))

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Answer an address, and document what the view's guard and decorators tell."""
        guard = getattr(view_func, MARK, None)
        if view_func is not None and isinstance(guard, Guard):
            (method,) = options["methods"]
            told = self._told(endpoint or view_func.__name__, view_func, guard, rule, method)
            view_func._apidoc = told  # type: ignore[attr-defined]
        super().add_url_rule(rule, endpoint, view_func, provide_automatic_options, **options)

    def _told(
        self, endpoint: str, view: Callable[..., Any], guard: Guard, rule: str, method: str
    ) -> dict[str, Any]:
        """The view's document, with what its guard and its decorators tell besides."""
        documented: dict[str, Any] = deepcopy(getattr(view, "_apidoc", {}))
        if statuses.is_keyed(view):
            asked = documented.setdefault("arguments", {})
            asked.setdefault("parameters", []).append(statuses.KEY_PARAMETER)
        manual = documented.setdefault("manual_doc", {})
        manual.setdefault("operationId", f"{self.name}.{endpoint}")
        public = guard.access is Access.PUBLIC
        ways = [{"bearer": [each.value]} for each in guard.permissions] or [{"bearer": []}]
        manual.setdefault("security", [] if public else ways)
        answers = manual.setdefault("responses", {})
        for status in statuses.refusals(view, guard, rule, method):
            answers.setdefault(status, http.HTTPStatus(status).name)
        return documented


def blueprint(name: str, description: str) -> MarketplaceBlueprint:
    """A blueprint under /api/v1; `name` is its heading in the documentation."""
    return MarketplaceBlueprint(
        f"api_{name}", __name__, url_prefix=API_PREFIX, description=description
    )


def register(app: Flask) -> MarketplaceApi:
    """Make the API of this application; routes adds the blueprints."""
    api = MarketplaceApi(app)
    scheme = {
        "type": "http",
        "scheme": "bearer",
        "description": "A token from Account, API tokens; it has scopes and an end.",
    }
    api.spec.components.security_scheme("bearer", scheme)
    api.spec.components.parameter(
        statuses.KEY_PARAMETER, "header", {"name": "Idempotency-Key", **statuses.KEY}, lazy=True
    )
    app.extensions["marketplace_api"] = api
    return api
