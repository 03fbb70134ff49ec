"""The frame: commands are found without importing their packages, faults are sentences."""

import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from marketplace.cli.frame import COMMANDS, main


def python(script: str) -> "subprocess.CompletedProcess[str]":
    """Run a script in an interpreter of its own."""
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )


def test_help_lists_every_command_and_imports_none() -> None:
    ended = python(
        "import sys; from marketplace.cli import main; main(['--help'], standalone_mode=False);"
        "print(sorted({'flask', 'sqlalchemy', 'redis', 'stripe', 'granian', 'httpx', 'yaml'}"
        " & set(sys.modules)))"
    )

    assert ended.stdout.endswith("[]\n")
    assert [name for name in COMMANDS if f"  {name} " not in ended.stdout] == []


def test_every_command_can_be_imported_and_has_help() -> None:
    for name in COMMANDS:
        ended = CliRunner().invoke(main, [name, "--help"])

        assert ended.exit_code == 0, (name, ended.output)
        assert "Usage:" in ended.output


def test_a_missing_extra_is_one_sentence() -> None:
    for command, blocked, extra in (
        ("web", "granian", "server"),
        ("worker", "sqlalchemy", "server"),
        ("migrate", "alembic", "server"),
    ):
        ended = python(
            f"import sys; sys.modules[{blocked!r}] = None;"
            f"from marketplace.cli import main; main([{command!r}])"
        )

        assert ended.returncode == 1
        assert f"pip install 'marketplace[{extra}]'" in ended.stderr
        assert ended.stderr.count("\n") == 1


def test_all_faults_of_the_environment_are_told_at_once(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "marketplace.cli", "web"],
        env={"PUBLIC_URL": "nonsense", "BOOK_TIMEZONE": "Mars"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 2
    for name in ("DATABASE_URL", "SECRET_KEY", "ENCRYPTION_KEYS", "PUBLIC_URL", "BOOK_TIMEZONE"):
        assert name in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_full_disk_is_one_sentence() -> None:
    ended = python(
        "import errno, click; from marketplace.cli import frame\n"
        "@click.command()\ndef fill(): raise OSError(errno.ENOSPC, 'No space left on device')\n"
        "frame.main.get_command = lambda ctx, name: fill\nframe.main(['fill'])"
    )

    assert (1, "Error: No space left on device.\n") == (ended.returncode, ended.stderr)


def test_ctrl_c_ends_without_a_traceback() -> None:
    ended = python(
        "import click; from marketplace.cli import frame\n"
        "@click.command()\ndef wait(): raise KeyboardInterrupt\n"
        "frame.main.get_command = lambda ctx, name: wait\nframe.main(['wait'])"
    )

    assert (130, "\nStopped.\n") == (ended.returncode, ended.stderr)


def test_a_closed_pipe_says_nothing() -> None:
    command = f"{sys.executable} -m marketplace.cli completion bash | true"
    ended = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60
    )

    assert "" == ended.stderr


def test_an_unknown_command_is_refused() -> None:
    ended = CliRunner().invoke(main, ["dance"])

    assert ended.exit_code == 2
    assert "No such command 'dance'" in ended.output
