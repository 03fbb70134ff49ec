"""`marketplace up` says in one sentence why it cannot start."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from marketplace import embedded
from marketplace.cli import environment


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def up(data_dir: Path, *options: str, **settings: str) -> str:
    """Run `up`, which must refuse, and return its sentence."""
    outside = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    ended = subprocess.run(
        [sys.executable, "-m", "marketplace.cli", "--data-dir", str(data_dir), "up", *options],
        env=outside | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert ended.returncode == 1, ended
    assert "Traceback" not in ended.stderr
    assert ended.stderr.count("\n") == 1
    return ended.stderr


def test_a_port_in_use(tmp_path: Path, taken_port: int) -> None:
    said = up(tmp_path / "data", "--port", str(taken_port))

    assert f"Port {taken_port} on 127.0.0.1 cannot be used (address already in use)" in said
    assert "PORT=" in said


def test_a_host_that_is_not_ours(tmp_path: Path) -> None:
    assert "cannot be used" in up(tmp_path / "data", "--host", "192.0.2.1")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    said = up(tmp_path / "file" / "data", "--port", "1")

    assert f"{tmp_path}/file/data cannot be written" in said


def test_a_stack_that_already_runs(tmp_path: Path) -> None:
    environment.write(tmp_path, {"PUBLIC_URL": "http://localhost:8111"})

    with embedded.Lock(tmp_path):
        said = up(tmp_path)

    assert f"The stack on {tmp_path} already runs at http://localhost:8111." in said


def test_a_real_database_is_never_mixed_with_a_demonstration(tmp_path: Path) -> None:
    said = up(tmp_path, DATABASE_URL="postgresql://real/x", STRIPE_SECRET_KEY="sk_live_x")

    assert "DATABASE_URL, STRIPE_SECRET_KEY" in said
