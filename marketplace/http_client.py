"""Outgoing HTTP to addresses that users chose: public addresses only, resolved once and pinned."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from marketplace.db import outside_transaction
from marketplace.errors import GatewayError, Refused

TIMEOUT = httpx.Timeout(10, connect=5)
ANSWER_MAX_BYTES = 1024 * 1024
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
    url: str, body: bytes, headers: Mapping[str, str], *, allow_private: bool = False
) -> Answer:
    """POST without following redirects, to the address that was checked. Raises NoAnswer."""
    host, address, port = public_address(url, allow_private=allow_private)
    parts = urlsplit(url)
    literal = f"[{address}]" if ":" in address else address
    pinned = parts._replace(netloc=f"{literal}:{port}").geturl()
    written = f"[{host}]" if ":" in host else host
    named = {
        **headers,
        "Host": written if parts.port is None else f"{written}:{port}",
        # A small answer could unpack into a very large one.
        "Accept-Encoding": "identity",
    }
    try:
        with (
            httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client,
            client.stream(
                "POST", pinned, content=body, headers=named, extensions={"sni_hostname": host}
            ) as answer,
        ):
            received = b""
            for chunk in answer.iter_raw():
                received += chunk
                if len(received) >= ANSWER_MAX_BYTES:
                    break
            return Answer(answer.status_code, dict(answer.headers), received[:ANSWER_MAX_BYTES])
    except httpx.InvalidURL:
        raise AddressRefused("The address is not well formed.") from None
    except httpx.HTTPError as failed:
        raise NoAnswer(f"No answer: {type(failed).__name__}.") from failed
