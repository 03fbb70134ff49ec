"""Free ports of the loopback address, the same at each start where nobody took them."""

import random
import socket
from contextlib import ExitStack, suppress
from pathlib import Path

LOOPBACK = "127.0.0.1"
OURS = range(15_000, 32_000)
TRIES = 50


def free_ports(*preferred: int) -> list[int]:
    """A free port for each number given: that number where it is free, and any for 0."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in preferred]
        for probe, port in zip(probes, preferred, strict=True):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if not (port and _bound(probe, port)):
                _bind_any(probe)
        return [probe.getsockname()[1] for probe in probes]


def _bind_any(probe: socket.socket) -> None:
    """Bind below the ports that the system gives to outgoing connections: one of those could
    take the place of a server while it starts again."""
    if not any(_bound(probe, port) for port in random.sample(OURS, TRIES)):
        probe.bind((LOOPBACK, 0))


def _bound(probe: socket.socket, port: int) -> bool:
    try:
        probe.bind((LOOPBACK, port))
    except OSError:
        return False
    return True


def kept_ports(file: Path, count: int) -> list[int]:
    """`count` free ports, those of the last start first, remembered in `file`."""
    last = [0] * count
    with suppress(OSError, ValueError):
        known = [int(number) for number in file.read_text(encoding="utf-8").split()]
        last = (known + last)[:count]
    ports = free_ports(*last)
    file.write_text(" ".join(map(str, ports)), encoding="utf-8")
    return ports
