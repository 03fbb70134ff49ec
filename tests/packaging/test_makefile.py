"""`make` chooses a Python that can do it, and says in one sentence when there is none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import marketplace

ROOT = Path(marketplace.__file__).parents[1]


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder that is the whole PATH: the shell, awk, and no Python yet."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "awk", "cat"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return folder


def pretend(tools: Path, name: str, script: str) -> None:
    """A program that stands for an interpreter."""
    file = tools / name
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)


def make(tools: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run make with `tools` alone on the PATH."""
    program = shutil.which("make")
    assert program is not None
    return subprocess.run(
        [program, "-C", str(ROOT), "--no-print-directory", *arguments],
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_machine_without_a_new_python_is_told_so(tools: Path, tmp_path: Path) -> None:
    pretend(tools, "python3", "exit 1")

    ended = make(tools, f"VENV={tmp_path}/venv", f"{tmp_path}/venv/bin/python")

    assert ended.returncode != 0
    assert ended.stderr.startswith("Python 3.11 or newer is needed and none was found")


def test_a_python_without_ensurepip_is_told_so(tools: Path, tmp_path: Path) -> None:
    pretend(tools, "python3", 'case "$2" in *ensurepip*) exit 1;; esac')

    ended = make(tools, f"VENV={tmp_path}/venv", f"{tmp_path}/venv/bin/python")

    assert ended.returncode != 0
    assert ended.stderr.startswith("python3 has no ensurepip: install Debian's python3-venv")


def test_an_old_python_is_passed_over_for_a_newer_one(tools: Path, tmp_path: Path) -> None:
    pretend(tools, "python3", "exit 1")
    pretend(tools, "python3.12", f'case "$1" in -c) exec {sys.executable} "$@";; esac; echo "$@"')

    ended = make(tools, f"VENV={tmp_path}/venv", f"{tmp_path}/venv/bin/python")

    assert ended.stdout == f"-m venv {tmp_path}/venv\n"


def test_make_alone_lists_what_can_be_done(tools: Path) -> None:
    listed = make(tools).stdout

    for target in ("run", "test", "test-all", "check", "bench", "demo", "cli", "lock", "clean"):
        assert f"  make {target} " in listed


def test_a_port_and_a_folder_are_handed_on(tools: Path) -> None:
    shown = make(tools, "--dry-run", "run", "PORT=8111", "DATA_DIR=/elsewhere").stdout

    assert '--data-dir "/elsewhere" up --demo --port "8111"' in shown


def test_no_lock_file_names_a_registry() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")

        assert [line for line in text.splitlines() if "://" in line or "index" in line] == []
        assert "--hash=sha256:" in text
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
