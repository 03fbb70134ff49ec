"""Serving the sandbox: a light threaded server that can end a connection when a test asks."""

from __future__ import annotations

import logging
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from marketplace.sandbox.app import create_app
from marketplace.sandbox.settings import SandboxSettings

log = logging.getLogger(__name__)


class QuietHandler(WSGIRequestHandler):
    """Requests go to the log at DEBUG, without colours and without the query."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002
        path = getattr(self, "path", "?").partition("?")[0]
        log.debug("%s %s %s", getattr(self, "command", "?"), path, code)

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the parent's name.
        if type == "error":
            log.error(message, *args)


@contextmanager
def running(settings: SandboxSettings) -> Iterator[str]:
    """Serve in threads of this process while the block runs; gives the address to talk to."""
    with socket.create_server((settings.host, settings.port)) as listening:
        port = listening.getsockname()[1]
        address = f"http://{settings.host}:{port}"
        app = create_app(
            settings.database_url,
            secret_key=settings.secret_key,
            webhook_url=settings.webhook_url,
            webhook_secret=settings.webhook_secret,
            public_url=settings.public_url or address,
            mailbox=settings.mailbox,
            seed=settings.seed,
        )
        server = make_server(
            settings.host,
            port,
            app,
            threaded=True,
            request_handler=QuietHandler,
            fd=listening.fileno(),
        )
        # The listener given by descriptor stays ours; the server works on its own copy.
        worker, store = app.extensions["sandbox.worker"], app.extensions["sandbox.store"]
        thread = threading.Thread(target=_serve, args=(server,), name="sandbox-server")
        worker.start()
        thread.start()
        try:
            yield address
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            worker.stop()
            store.close()


def _serve(server: BaseWSGIServer) -> None:
    # The default poll of half a second would make every stop that slow.
    server.serve_forever(poll_interval=0.05)


def serve(settings: SandboxSettings) -> None:
    """Serve until SIGTERM or SIGINT; used by the command `marketplace sandbox`."""
    stop = threading.Event()
    ending = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, lambda _number, _frame: stop.set()) for number in ending]
    place = f"{settings.host}:{settings.port}"
    try:
        with running(settings) as address:
            log.info("the sandbox serves %s", address)
            stop.wait()
    except OSError as fault:
        raise SystemExit(
            f"The sandbox cannot listen on {place}: {fault.strerror}."
            " Set SANDBOX_PORT to a free one."
        ) from fault
    finally:
        for number, handler in zip(ending, before, strict=True):
            signal.signal(number, handler)
