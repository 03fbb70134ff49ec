"""The sandbox as a Flask application: the API, the pages, the mailbox and the test controls."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException, InternalServerError

from marketplace.sandbox import (
    accounts,
    balance,
    balance_settings,
    cash_balances,
    charges,
    checkout,
    confirming,
    controls,
    customers,
    disputes,
    events,
    github,
    hooks,
    identity,
    identity_pages,
    intents,
    mailbox,
    model,
    money_controls,
    onboarding,
    pages,
    panel,
    payment_methods,
    payouts,
    refunds,
    registry,
    reports,
    top_ups,
    transfers,
    webhooks,
)
from marketplace.sandbox.api import Api
from marketplace.sandbox.errors import ApiError
from marketplace.sandbox.pace import Pace
from marketplace.sandbox.routing import Operation, Route
from marketplace.sandbox.store import Store
from marketplace.sandbox.worker import Worker

BODY_BYTES_MAX = 1_000_000


def create_app(
    database_url: str,
    *,
    secret_key: str,
    webhook_url: str | None,
    webhook_secret: str,
    public_url: str,
    mailbox: Path | None,
    seed: int | None,
) -> Flask:
    """The sandbox on a PostgreSQL database, whose tables it creates.

    webhook_url: where every event goes, None for registered endpoints only; mailbox: the folder
    of `.eml` files that /mailbox shows, or None; seed: makes ids repeatable. The application's
    `extensions["sandbox.worker"]` runs timers and deliveries once it is started.
    """
    store = Store(database_url, seed=seed)
    with store.transaction() as tx:
        webhooks.configure(tx, webhook_url, webhook_secret)
    worker = Worker(store)
    app = Flask(
        __name__,
        static_folder="static",
        static_url_path="/sandbox/static",
        template_folder=str(_templates()),
    )
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES_MAX
    app.extensions["sandbox.store"] = store
    app.extensions["sandbox.worker"] = worker
    pace = Pace()
    api = Api(store, secret_key, worker, pace)
    _add_api(app, api, _all_routes(public_url))
    app.register_blueprint(controls.blueprint(store, api.authenticate, worker))
    app.register_blueprint(money_controls.blueprint(store, api.authenticate, worker, pace))
    app.register_blueprint(registry.blueprint(store, api.authenticate))
    app.register_blueprint(model.blueprint())
    app.register_blueprint(hooks.blueprint())
    _add_pages(app, store, worker, mailbox)
    app.register_error_handler(ApiError, _refuse)
    app.register_error_handler(ConnectionAbortedError, lambda _fault: Response(status=500))
    app.register_error_handler(HTTPException, _say_plainly)
    return app


def _templates() -> Path:
    """The folder `templates`: beside this package when installed, else in the repository."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "templates"
    return installed if installed.is_dir() else package.parent / "templates"


def _add_pages(app: Flask, store: Store, worker: Worker, folder: Path | None) -> None:
    app.register_blueprint(pages.blueprint(store, worker))
    app.register_blueprint(panel.blueprint(store, worker))
    app.register_blueprint(mailbox.blueprint(folder))
    app.register_blueprint(identity_pages.blueprint(store, worker))
    app.register_blueprint(github.blueprint(store))


def _all_routes(public_url: str) -> Iterable[Route]:
    yield from accounts.ROUTES
    yield from onboarding.routes(public_url)
    yield from checkout.routes(public_url)
    yield from intents.ROUTES
    yield from confirming.ROUTES
    yield from customers.ROUTES
    yield from payment_methods.ROUTES
    yield from cash_balances.ROUTES
    yield from charges.ROUTES
    yield from refunds.ROUTES
    yield from disputes.ROUTES
    yield from balance.ROUTES
    yield from balance_settings.ROUTES
    yield from top_ups.ROUTES
    yield from reports.routes(public_url)
    yield from transfers.ROUTES
    yield from payouts.ROUTES
    yield from identity.routes(public_url)
    yield from events.ROUTES
    yield from webhooks.ROUTES


def _add_api(app: Flask, api: Api, routes: Iterable[Route]) -> None:
    for route in routes:
        app.add_url_rule(
            route.path,
            endpoint=f"{route.method} {route.path}".replace(".", "_"),
            view_func=_view(api, route.operation),
            methods=[route.method],
        )


def _view(api: Api, operation: Operation) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        return api.answer(request, operation, path)

    return view


def _refuse(error: ApiError) -> tuple[Response, int]:
    return jsonify(error.body()), error.status


def _say_plainly(error: HTTPException) -> Response | tuple[Response, int] | tuple[str, int]:
    status = error.code or 500
    if not request.path.startswith(("/v1/", "/v2/", "/sandbox/control/")):
        return pages.fault_page(status)
    if isinstance(error, InternalServerError):
        fault = ApiError("An unexpected error occurred.", status=500, kind="api_error")
    else:
        fault = ApiError(
            f"Unrecognized request URL ({request.method}: {request.path}), or a call that this "
            "sandbox does not emulate.",
            status=status,
        )
    return _refuse(fault)
