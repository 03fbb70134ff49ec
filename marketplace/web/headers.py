"""Security headers, the nonce for scripts, and how long a browser may keep an answer."""

from __future__ import annotations

import functools
import secrets
from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from marketplace.settings import Settings
from marketplace.web.errors import API_PREFIX

# A file or an answer to a program is no page: it opens nothing, and says so in few bytes.
OF_NO_PAGE = (
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
)
NO_PAGES = ("/static/", API_PREFIX + "/")
NONCE_BYTES = 16
_NONCE = "{nonce}"
YEAR_SECONDS = 31_536_000
DAY_SECONDS = 86_400
# A form that leads to another's page by redirect is checked against form-action as well.
STRIPE_PAGES = (
    "https://checkout.stripe.com",
    "https://connect.stripe.com",
    "https://verify.stripe.com",
)
FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def csp_nonce() -> str:
    """The nonce of this answer; only scripts that carry it (or come from our files) run."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(NONCE_BYTES)
    return str(g.csp_nonce)


def _sandbox_pages(api_base: str) -> tuple[str, ...]:
    """The origins of the sandbox's pages: the API's own, and its twin name on this machine."""
    if not api_base:
        return ()
    parts = urlsplit(api_base)
    port = f":{parts.port}" if parts.port else ""
    names = {"127.0.0.1", "localhost"}
    hosts = sorted(names) if parts.hostname in names else [parts.hostname or ""]
    return tuple(f"{parts.scheme}://{host}{port}" for host in hosts)


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def policy(settings: Settings, nonce: str) -> str:
    """The Content-Security-Policy: our own files and no inline script or style at all."""
    before, after = _policy(settings)
    return f"{before}{nonce}{after}"


@functools.lru_cache(maxsize=16)
def _policy(settings: Settings) -> tuple[str, str]:
    """What stands before and after the nonce, which alone changes."""
    others = {*_sandbox_pages(settings.stripe_api_base), _origin(settings.github_oauth_base)}
    pages = (*STRIPE_PAGES, *sorted(others))
    parts = [
        "default-src 'self'",
        f"script-src 'self' 'nonce-{_NONCE}'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'none'",
        f"form-action 'self' {' '.join(pages)}",
        "frame-ancestors 'none'",
    ]
    if settings.public_url.startswith("https://"):
        parts.append("upgrade-insecure-requests")
    before, _, after = "; ".join(parts).partition(_NONCE)
    return before, after


def register(app: Flask, settings: Settings) -> None:
    """Add the headers to every answer, and `csp_nonce` to templates."""
    app.jinja_env.globals["csp_nonce"] = csp_nonce

    @app.after_request
    def add(answer: Response) -> Response:
        if request.path.startswith(NO_PAGES):
            answer.headers.extend(OF_NO_PAGE)
        else:
            for name, value in FIXED.items():
                answer.headers.setdefault(name, value)
            answer.headers["Content-Security-Policy"] = policy(settings, csp_nonce())
        if settings.public_url.startswith("https://"):
            lasts = f"max-age={2 * YEAR_SECONDS}; includeSubDomains"
            answer.headers["Strict-Transport-Security"] = lasts
        _keep(answer)
        return answer


def close_bodies(app: Flask) -> None:
    """Close each answer's file once it is sent; register it after what compresses.

    Compression puts a generator in the file's place, and closing that leaves the file open.
    """

    @app.after_request
    def add(answer: Response) -> Response:
        close = getattr(answer.response, "close", None)
        if close is not None:
            answer.call_on_close(close)
        return answer


def _keep(answer: Response) -> None:
    """Files whose address has their content's hash are kept for ever, pages not at all."""
    if request.endpoint == "static" and answer.status_code in {200, 206, 304}:
        cache = answer.cache_control
        cache.no_cache = None
        cache.public = True
        cache.max_age = YEAR_SECONDS if "v" in request.args else DAY_SECONDS
        cache.immutable = "v" in request.args
    elif "Cache-Control" not in answer.headers:
        answer.headers["Cache-Control"] = "no-store"
