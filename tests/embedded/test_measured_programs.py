"""A server that is measured ends with all that it started, however it takes its ending."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.load import programs

# Hears no SIGTERM, as a server that is stuck, and has a worker of its own.
STUBBORN = """
import http.server, pathlib, signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path(sys.argv[2]).write_text(str(worker.pid))
address = ("127.0.0.1", int(sys.argv[1]))
http.server.HTTPServer(address, http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def lives(pid: int) -> bool:
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except FileNotFoundError:
        return False
    return told.rpartition(")")[2].split()[0] not in "ZX"


def test_an_interrupt_leaves_no_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "END_SECONDS", 0.1)
    port, noted = programs.free_port(), tmp_path / "worker"
    command = [sys.executable, "-c", STUBBORN, str(port), str(noted)]

    def measured() -> None:
        with programs.running(command, port, "/", {}):
            assert lives(int(noted.read_text(encoding="ascii")))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measured()
    assert not lives(int(noted.read_text(encoding="ascii")))
