"""flask-smorest as we use it: OpenAPI 3.1, problem+json, bearer tokens, scopes in the document."""

from __future__ import annotations

import http
from copy import deepcopy
from typing import Any

from flask import Flask
from flask_smorest import Api, Blueprint
from flask_smorest.utils import prepare_response

from marketplace.web.api.answers import Problem
from marketplace.web.errors import API_PREFIX, PROBLEM
from marketplace.web.guards import MARK, Access, Guard

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

    def _register_error_handlers(self) -> None:
        """Errors are shown by web.errors, here as everywhere."""

    def _register_responses(self) -> None:
        for status in http.HTTPStatus:
            answer: dict[str, Any] = {"description": status.phrase}
            if status >= 400:
                answer["schema"] = self.ERROR_SCHEMA
            prepare_response(answer, self.spec, PROBLEM)
            self.spec.components.response(status.name, answer, lazy=True)
        answer = {"description": "What is wrong, and what to do", "schema": self.ERROR_SCHEMA}
        prepare_response(answer, self.spec, PROBLEM)
        self.spec.components.response(self.DEFAULT_ERROR_RESPONSE_NAME, answer, lazy=True)


class MarketplaceBlueprint(Blueprint):  # type: ignore[misc]
    """A blueprint whose document names the scope that each operation needs."""

    def _store_endpoint_docs(
        self, endpoint: str, obj: Any, parameters: Any, tags: Any, **options: Any
    ) -> None:
        guard = getattr(obj, MARK, None)
        if isinstance(guard, Guard):
            documented = deepcopy(getattr(obj, "_apidoc", {}))
            manual = documented.setdefault("manual_doc", {})
            manual.setdefault("operationId", f"{self.name}.{endpoint}")
            scopes = [guard.permission.value] if guard.permission else []
            public = guard.access is Access.PUBLIC
            manual.setdefault("security", [] if public else [{"bearer": scopes}])
            answers = manual.setdefault("responses", {})
            answers.setdefault("default", {"$ref": "#/components/responses/DEFAULT_ERROR"})
            obj._apidoc = documented  # noqa: SLF001 - where flask-smorest keeps it.
        super()._store_endpoint_docs(endpoint, obj, parameters, tags, **options)


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
    # An error's body is named by every operation, so it is kept even before one uses it.
    api.spec.components.get_ref("response", MarketplaceApi.DEFAULT_ERROR_RESPONSE_NAME)
    app.extensions["marketplace_api"] = api
    return api
