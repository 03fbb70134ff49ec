"""Ending a connection without an answer, as a lost network would."""

from __future__ import annotations

import socket
import time
from typing import NoReturn

from flask import request


def drop(*, seconds: float) -> NoReturn:
    """Stay silent for some seconds, then end the connection of the present request.

    What is answered after this goes nowhere, and the server takes it as a client that left.
    """
    time.sleep(seconds)
    connection = request.environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError("The connection was ended on request of a test control.")
