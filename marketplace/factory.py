"""The application: everything is set up here, once, and nowhere else.

`start` sets up what a process has one of (database, keys, log, Stripe, storage, mail, limits);
web servers, workers and commands all call it. `create_app` makes the Flask application over it.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from flask import Flask
from flask_compress import Compress
from flask_wtf import CSRFProtect  # type: ignore[import-untyped]
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from redis import Redis
from sqlalchemy.exc import OperationalError
from structlog.typing import EventDict, ExcInfo, WrappedLogger

from marketplace import db, limits, mail, secrets, storage, stripe_client
from marketplace import settings as settings_here
from marketplace.settings import Settings
from marketplace.settings import use as use_settings
from marketplace.storage import Storage
from marketplace.web import (
    EXTENSION,
    api,
    errors,
    filters,
    frame,
    guards,
    headers,
    requests,
    routes,
    static_files,
    visitors,
)
from marketplace.web.proxies import TrustedProxies

PACKAGE = Path(__file__).resolve().parent
# Room for a form with two long answers; views that take files or NDJSON raise it themselves.
CONTENT_BYTES_MAX = 2 * 1024 * 1024
COMPRESSED = (
    "text/html",
    "text/css",
    "text/javascript",
    "text/plain",
    "image/svg+xml",
    "application/json",
    "application/problem+json",
    "application/x-ndjson",
)


CODE_FAULTS = (
    Warning,
    AttributeError,
    ImportError,
    NameError,
    TypeError,
    TemplateError,
    db.TransactionOpen,
)


@dataclass(frozen=True, slots=True)
class Services:
    """What this process has one of, for whoever holds the application."""

    settings: Settings
    storage: Storage
    redis: Redis
    limiter: limits.Limiter


class _Here:
    services: Services | None = None


def templates_folder() -> Path:
    """The templates: inside the package when it was installed, beside it in a checkout."""
    inside = PACKAGE / "templates"
    return inside if inside.is_dir() else PACKAGE.parent / "templates"


def start(settings: Settings) -> Services:
    """Set up this process; no connection is made yet, so a missing server is found at first use.

    A second call with the same settings changes nothing, so that pools are not opened twice.
    """
    if _Here.services is not None and _Here.services.settings == settings:
        return _Here.services
    log_as_json(settings.log_level)
    use_settings(settings)
    settings_here.use(settings)
    secrets.use_keys(settings.encryption_keys, settings.pseudonym_key)
    secrets.use_signing_keys(settings.signing_keys)
    # Parameters stay out of error texts: they are what people typed.
    db.connect(settings.database_url, hide_parameters=True)
    stripe_client.use(settings)
    storage.use(storage.from_url(settings.storage_url))
    limits.use(settings.redis_url)
    mail.use(
        mail.carrier_of(settings.smtp_url, settings.mailbox_dir),
        sender=settings.mail_from,
        templates=_mail_templates(),
        public_url=settings.public_url,
    )
    _Here.services = Services(settings, storage.current(), limits.redis(), limits.current())
    return _Here.services


def _mail_templates() -> Environment:
    # Mail is plain text: there is nothing to escape.
    loader = FileSystemLoader(templates_folder())
    return Environment(loader=loader, undefined=StrictUndefined, autoescape=False)  # noqa: S701


class Application(Flask):
    """Flask without coroutines: each call of a function would look for one."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself: none of ours is a coroutine."""
        return func


def create_app(settings: Settings | None = None) -> Flask:
    """The application, with every endpoint guarded; None takes the settings of the environment.

    Raises SettingsFaulty, and UnguardedEndpoint when a view does not say who may use it.
    """
    settings = settings or Settings.from_environ(os.environ)
    services = start(settings)
    app = Application(
        "marketplace",
        template_folder=str(templates_folder()),
        static_folder=str(PACKAGE / "static"),
    )
    app.config.from_mapping(_configuration(settings))
    app.extensions[EXTENSION] = services
    app.wsgi_app = TrustedProxies(app.wsgi_app, settings.trusted_proxies)  # type: ignore[method-assign]
    requests.register(app)
    visitors.register(app)
    app.before_request(guards.check_guard)
    csrf = CSRFProtect(app)
    headers.register(app, settings)
    Compress(app)
    headers.close_bodies(app)
    errors.register(app, away=OperationalError)
    frame.register(app)
    static_files.register(app)
    filters.register(app)
    routes.register(app, csrf, api.register(app))
    guards.refuse_unguarded(app)
    return app


def _configuration(settings: Settings) -> dict[str, Any]:
    return {
        "SECRET_KEY": settings.secret_key,
        "MAX_CONTENT_LENGTH": CONTENT_BYTES_MAX,
        "MAX_FORM_MEMORY_SIZE": CONTENT_BYTES_MAX,
        "SESSION_COOKIE_NAME": "marketplace_form",
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.public_url.startswith("https://"),
        "WTF_CSRF_TIME_LIMIT": None,  # A form token lasts as long as the browser's session.
        "COMPRESS_MIMETYPES": list(COMPRESSED),
        "COMPRESS_ALGORITHM": ["zstd", "br", "gzip"],
        "TEMPLATES_AUTO_RELOAD": settings.public_development,
        **api.CONFIGURATION,
    }


def log_as_json(level: str) -> None:
    """Send our own and all libraries' log lines to standard error as JSON, one a line."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_told if level == "DEBUG" else _frames),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    lines = _Lines()
    lines.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[_without_marks, structlog.processors.JSONRenderer()],
        )
    )
    root = logging.getLogger()
    root.handlers = [one for one in root.handlers if not isinstance(one, _Lines)] + [lines]
    root.setLevel(level)
    # These tell whole addresses, which can open somebody's form at Stripe.
    for talkative in ("httpx", "httpcore", "stripe", "urllib3"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    # Alembic tells of every plugin that it loads.
    logging.getLogger("alembic").setLevel(logging.WARNING)


class _Lines(logging.Handler):
    """Our own handler, so that setting up twice does not log twice."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line to standard error as it is now."""
        sys.stderr.write(self.format(record) + "\n")


def _without_marks(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    return structlog.stdlib.ProcessorFormatter.remove_processors_meta(logger, name, event)


def _frames(exc_info: ExcInfo) -> str:
    """Kinds and places of an exception and its causes.

    Texts can name people, so they are left out but for kinds that speak of code alone.
    """
    parts: list[str] = []
    at: BaseException | None = exc_info[1]
    while at is not None:
        trace = traceback.extract_tb(at.__traceback__)
        places = [
            f"{frame.filename}:{frame.lineno} {frame.name}"
            for frame in trace
            if str(PACKAGE) in frame.filename or frame is trace[-1]
        ]
        said = f" ({at})" if isinstance(at, CODE_FAULTS) else ""
        parts.append(f"{type(at).__module__}.{type(at).__qualname__}{said}: {' > '.join(places)}")
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    return " | because of ".join(parts)


def _told(exc_info: ExcInfo) -> str:
    return "".join(traceback.format_exception(exc_info[1]))
