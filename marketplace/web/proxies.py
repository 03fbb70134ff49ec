"""Reverse proxies: X-Forwarded-* headers count only when a trusted network sent them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class TrustedProxies:
    """WSGI middleware that believes the forwarding headers of the given networks only."""

    def __init__(self, application: WSGIApplication, networks: Sequence[str]) -> None:
        self._application = application
        self._networks = [ip_network(network) for network in networks]

    def _trusts(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Set the client's address, the scheme and the host from what a trusted proxy says."""
        if self._trusts(environ.get("REMOTE_ADDR", "")):
            environ["REMOTE_ADDR"] = self._client(environ)
            scheme = _last(environ.get("HTTP_X_FORWARDED_PROTO", ""))
            if scheme in {"http", "https"}:
                environ["wsgi.url_scheme"] = scheme
            host = _last(environ.get("HTTP_X_FORWARDED_HOST", ""))
            if host:
                environ["HTTP_HOST"] = host
        return self._application(environ, start_response)

    def _client(self, environ: WSGIEnvironment) -> str:
        """The nearest address that no trusted proxy has: all before it could be invented."""
        chain = [part.strip() for part in environ.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        for address in reversed([part for part in chain if part]):
            if not self._trusts(address):
                return str(ip_address(address)) if _is_address(address) else environ["REMOTE_ADDR"]
        return str(environ["REMOTE_ADDR"])


def _last(header: str) -> str:
    return header.rsplit(",", 1)[-1].strip()


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
