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
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise AddressRefused("Give an address such as https://example.com/hook.")
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (ValueError, UnicodeError):
        raise AddressRefused("The address is not well formed.") from None
    except socket.gaierror:
        raise NoAnswer(f"The name {parts.hostname} has no address at the moment.") from None
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        if not allow_private and not ipaddress.ip_address(address.split("%")[0]).is_global:
            raise AddressRefused("The address leads into a private network; use a public one.")
    return parts.hostname, addresses[0], port


@outside_transaction
def post(
    url: str, body: bytes, headers: Mapping[str, str], *, allow_private: bool = False
) -> Answer:
    """POST without following redirects, to the address that was checked. Raises NoAnswer."""
    host, address, port = public_address(url, allow_private=allow_private)
    parts = urlsplit(url)
    literal = f"[{address}]" if ":" in address else address
    pinned = parts._replace(netloc=f"{literal}:{port}").geturl()
    named = {**headers, "Host": host if parts.port is None else f"{host}:{port}"}
    try:
        with (
            httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client,
            client.stream(
                "POST", pinned, content=body, headers=named, extensions={"sni_hostname": host}
            ) as answer,
        ):
            received = b""
            for chunk in answer.iter_bytes():
                received += chunk
                if len(received) >= ANSWER_MAX_BYTES:
                    break
            return Answer(answer.status_code, dict(answer.headers), received[:ANSWER_MAX_BYTES])
    except httpx.HTTPError as failed:
        raise NoAnswer(f"No answer: {type(failed).__name__}.") from failed
