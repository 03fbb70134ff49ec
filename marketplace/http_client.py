"""Outgoing HTTP, also where users chose the address: public ones only, resolved once, pinned."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

import httpx

from marketplace.db import outside_transaction
from marketplace.errors import GatewayError, Refused

TIMEOUT = httpx.Timeout(10, connect=5)
ANSWER_MAX_BYTES = 1024 * 1024
ANSWER_SECONDS_MAX = 30.0
# IPv4-compatible, IPv4-mapped, NAT64 (both prefixes), 6to4, and the old site-local addresses.
CARRIERS = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "::/96",
        "::ffff:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "fec0::/10",
    )
)


class AddressRefused(Refused):
    """The address is private, malformed or not HTTP."""

    code = "address_refused"


class NoAnswer(GatewayError):
    """The other side did not answer in time or broke the connection."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; body is cut at a MiB."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def public_address(url: str, *, allow_private: bool = False) -> tuple[str, str, int]:
    """(host, IP address, port) to connect to; AddressRefused when any answer is not public.

    All addresses of the name are looked at, so a name cannot hide a private one behind a public
    one; the connection then goes to the very address that was checked.
    """
    try:
        parts = urlsplit(url)
        plain = url.isprintable() and " " not in url and "@" not in parts.netloc
        if parts.scheme not in {"http", "https"} or not parts.hostname or not plain:
            raise AddressRefused("Give an address such as https://example.com/hook.")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        literal = ":" in parts.hostname
        host = parts.hostname if literal else parts.hostname.encode("idna").decode()
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except ValueError:
        raise AddressRefused("The address is not well formed.") from None
    except socket.gaierror:
        raise NoAnswer("The name in the address leads nowhere at the moment.") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not allow_private and not all(is_public(address) for address in addresses):
        raise AddressRefused("The address leads into a private network; use a public one.")
    return host, addresses[0], port


def is_public(address: str) -> bool:
    """Whether an IP address belongs to one machine on the public internet.

    IPv6 addresses that carry an IPv4 address, or that a gateway turns into one, are refused:
    `is_global` calls some of them global, and they lead wherever the IPv4 address does.
    """
    ip = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    if isinstance(ip, ipaddress.IPv6Address) and any(ip in network for network in CARRIERS):
        return False
    return ip.is_global and not ip.is_multicast


@outside_transaction
def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allow_private: bool = False,
    seconds: float | None = None,
) -> Answer:
    """POST without following redirects, to the address that was checked. Raises NoAnswer.

    seconds: how long the whole of it may take, where the usual time does not fit.
    """
    return _exchange("POST", url, body, headers, allow_private=allow_private, seconds=seconds)[0]


@outside_transaction
def get(url: str, headers: Mapping[str, str], *, allow_private: bool = False) -> Answer:
    """GET without following redirects, from the address that was checked.

    Raises NoAnswer also for an answer of more than a MiB, since a part of it says nothing.
    """
    answer, whole = _exchange("GET", url, None, headers, allow_private=allow_private)
    if not whole:
        raise NoAnswer("The answer is too long.")
    return answer


def _exchange(
    method: str,
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    allow_private: bool,
    seconds: float | None = None,
) -> tuple[Answer, bool]:
    """The answer, and whether it is whole; it may take ANSWER_SECONDS_MAX, however it trickles."""
    host, address, port = public_address(url, allow_private=allow_private)
    pinned, named = _pinned(url, host, address, port)
    most = seconds or ANSWER_SECONDS_MAX
    timeout = httpx.Timeout(most, connect=5) if seconds else TIMEOUT
    until = time.monotonic() + most
    try:
        with (
            httpx.Client(
                timeout=timeout, follow_redirects=False, trust_env=False, verify=_trusted()
            ) as client,
            _ended_after(client, most + 1),
            client.stream(
                method,
                pinned,
                content=body,
                headers={**headers, **named},
                extensions={"sni_hostname": host},
            ) as answer,
        ):
            received = b""
            for chunk in answer.iter_raw():
                received += chunk
                if len(received) > ANSWER_MAX_BYTES:
                    break
                if time.monotonic() > until:
                    raise NoAnswer("The answer took too long.")
            found = Answer(answer.status_code, dict(answer.headers), received[:ANSWER_MAX_BYTES])
            return found, len(received) <= ANSWER_MAX_BYTES
    except httpx.InvalidURL:
        raise AddressRefused("The address is not well formed.") from None
    except httpx.HTTPError as failed:
        raise NoAnswer(f"No answer: {type(failed).__name__}.") from failed


@cache
def _trusted() -> ssl.SSLContext:
    """Whom we trust, read once: to read it for each call takes longer than many calls do."""
    return httpx.create_ssl_context(trust_env=False)


@contextmanager
def _ended_after(client: httpx.Client, seconds: float) -> Iterator[None]:
    """Break the connection in the end: headers may trickle too, and nothing else counts them."""
    timer = threading.Timer(seconds, client.close)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _pinned(url: str, host: str, address: str, port: int) -> tuple[str, dict[str, str]]:
    """The URL with the address in place of the name, and the headers that keep the name."""
    parts = urlsplit(url)
    literal = f"[{address}]" if ":" in address else address
    written = f"[{host}]" if ":" in host else host
    return parts._replace(netloc=f"{literal}:{port}").geturl(), {
        "Host": written if parts.port is None else f"{written}:{port}",
        # A small answer could unpack into a very large one.
        "Accept-Encoding": "identity",
    }
