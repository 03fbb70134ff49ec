"""Addresses that users chose lead to the public internet or nowhere."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from sqlalchemy.orm import Session

from marketplace import http_client
from marketplace.db import TransactionOpen, transaction
from marketplace.http_client import AddressRefused, NoAnswer, is_public, public_address


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.5.5", "192.168.1.1", "169.254.169.254",
     "169.254.170.2", "100.64.0.1", "0.0.0.1", "255.255.255.255", "224.0.0.1", "192.0.2.1",
     "198.18.0.1", "240.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1",
     "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[::ffff:8.8.8.8]", "[::7f00:1]",
     "[64:ff9b::7f00:1]", "[64:ff9b:1::a00:1]", "[2002:7f00:1::]", "[fe80::1]", "[fec0::1]",
     "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "[ff0e::1]", "[2001:db8::1]", "[2001::1]"],
)  # fmt: skip
def test_no_address_leads_inside(host: str) -> None:
    with pytest.raises(AddressRefused):
        public_address(f"http://{host}/hook")


@pytest.mark.parametrize(
    "url",
    ["https://me@8.8.8.8/", "https://me:secret@8.8.8.8/", "https://:secret@8.8.8.8/",
     "https://@8.8.8.8/", "ftp://8.8.8.8/", "file:///etc/passwd", "gopher://8.8.8.8/", "//8.8.8.8",
     "8.8.8.8", "", "https://", "https://[::1", "https://8.8.8.8:99999/", "https://8.8.8.8:x/",
     "https://a\0b/", f"https://{'a' * 64}.org/", "https://a..b/",
     "https://8.8.8.8/a b", "https://8.8.8.8/\r\nX: 1", "http://local\thost/"],
)  # fmt: skip
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        public_address(url)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://8.8.8.8/hook", ("8.8.8.8", "8.8.8.8", 443)),
        ("http://8.8.8.8", ("8.8.8.8", "8.8.8.8", 80)),
        ("https://[2606:4700::1111]:8443/", ("2606:4700::1111", "2606:4700::1111", 8443)),
    ],
)
def test_public_addresses_are_taken(url: str, found: tuple[str, str, int]) -> None:
    assert found == public_address(url)


def test_zones_do_not_hide_an_address() -> None:
    assert not is_public("fe80::1%eth0")
    assert is_public("2606:4700::1111")


class Hook(BaseHTTPRequestHandler):
    """Answers by its path, and shows what it was asked."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/")
            self.end_headers()
            return
        if self.path == "/broken":
            return
        answer = b"x" * (3 * 1024 * 1024) if self.path == "/large" else body
        self.send_response(200)
        self.send_header("X-Host", self.headers["Host"])
        self.send_header("X-Encoding", self.headers["Accept-Encoding"])
        self.end_headers()
        self.wfile.write(answer)

    def do_GET(self) -> None:
        long = self.path == "/large"
        self.send_response(200)
        self.send_header("X-Host", self.headers["Host"])
        self.end_headers()
        self.wfile.write(b"x" * (2 * 1024 * 1024) if long else self.path.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - As inherited.
        """Say nothing."""


@pytest.fixture
def hook() -> Iterator[int]:
    """The port of a server on loopback."""
    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_post_says_the_name_and_goes_to_the_checked_address(hook: int) -> None:
    url = f"http://localhost:{hook}/it"
    answer = http_client.post(url, b"{}", {"X-Own": "1"}, allow_private=True)

    assert (200, b"{}") == (answer.status, answer.body)
    assert (f"localhost:{hook}", "identity") == (
        answer.headers["x-host"],
        answer.headers["x-encoding"],
    )


def test_redirects_are_not_followed_and_large_answers_are_cut(hook: int) -> None:
    def post(path: str) -> http_client.Answer:
        return http_client.post(f"http://127.0.0.1:{hook}{path}", b"{}", {}, allow_private=True)

    assert 302 == post("/away").status
    assert http_client.ANSWER_MAX_BYTES == len(post("/large").body)
    with pytest.raises(NoAnswer):
        post("/broken")


def test_nobody_there_is_no_answer() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        with pytest.raises(NoAnswer):
            http_client.post(url, b"", {}, allow_private=True)


def test_private_addresses_are_refused_before_anything_is_sent(hook: int) -> None:
    with pytest.raises(AddressRefused):
        http_client.post(f"http://127.0.0.1:{hook}/", b"{}", {})


def test_nothing_is_posted_inside_a_transaction(session: Session, hook: int) -> None:
    with pytest.raises(TransactionOpen), transaction():
        http_client.post(f"http://127.0.0.1:{hook}/", b"{}", {}, allow_private=True)


def test_a_get_says_the_name_and_keeps_its_question(hook: int) -> None:
    answer = http_client.get(f"http://localhost:{hook}/it?a=b", {}, allow_private=True)

    assert (200, b"/it?a=b") == (answer.status, answer.body)
    assert f"localhost:{hook}" == answer.headers["x-host"]


def test_half_an_answer_to_a_get_is_none(hook: int) -> None:
    with pytest.raises(NoAnswer, match="too long"):
        http_client.get(f"http://127.0.0.1:{hook}/large", {}, allow_private=True)
    with pytest.raises(AddressRefused):
        http_client.get(f"http://127.0.0.1:{hook}/", {})


def test_nothing_is_fetched_inside_a_transaction(session: Session, hook: int) -> None:
    with pytest.raises(TransactionOpen), transaction():
        http_client.get(f"http://127.0.0.1:{hook}/", {}, allow_private=True)
