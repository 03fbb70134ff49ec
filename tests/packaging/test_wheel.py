"""The wheel is whole: it carries templates and migrations, and installs where nothing else is."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import marketplace
from marketplace.cli.frame import CLIENT, SERVER

ROOT = Path(marketplace.__file__).parents[1]

pytestmark = pytest.mark.slow


def run(*command: str | Path, folder: Path) -> str:
    """Run a command away from the checkout and return what it says."""
    ended = subprocess.run(
        [str(part) for part in command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", ".", ROOT, folder=folder)
    return next(folder.glob("marketplace-*.whl"))


def empty_environment(folder: Path) -> Path:
    """The interpreter of a new virtual environment."""
    venv.create(folder / "venv", with_pip=True)
    return folder / "venv" / "bin" / "python"


def test_the_wheel_carries_what_the_server_reads_and_nothing_of_the_checkout(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())

    versions = [f"marketplace/migrations/versions/{file.name}" for file in _migrations()]
    templates = [
        f"marketplace/templates/{file.relative_to(ROOT / 'templates')}"
        for file in (ROOT / "templates").rglob("*")
        if file.is_file()
    ]
    assert [name for name in [*versions, *templates] if name not in names] == []
    assert "marketplace/migrations/env.py" in names
    assert [name for name in names if name.startswith(("tests/", "bench/", "app.py"))] == []
    assert [name for name in names if "/vendor/" in name] != []


def test_the_client_installs_without_the_server(wheel: Path, tmp_path: Path) -> None:
    python = empty_environment(tmp_path)
    run(python, "-m", "pip", "install", "-q", wheel, folder=tmp_path)

    listed = run(python.with_name("marketplace"), "--help", folder=tmp_path)
    script = "import marketplace.cli, importlib.util as u; print(u.find_spec('flask'))"

    assert "web " in listed
    assert run(python, "-c", script, folder=tmp_path) == "None\n"
    refused = subprocess.run(
        [python.with_name("marketplace"), "web"], capture_output=True, text=True, check=False
    )
    assert "pip install 'marketplace[server]'" in refused.stderr
    # All that speaks to the API, or checks files offline, is whole without the server.
    for name in CLIENT:
        assert "Usage:" in run(python.with_name("marketplace"), name, "--help", folder=tmp_path)
    for name in set(SERVER) - {"up"}:
        refused = subprocess.run(
            [python.with_name("marketplace"), name], capture_output=True, text=True, check=False
        )
        assert (1, 1) == (refused.returncode, refused.stderr.count("\n")), refused.stderr


def test_the_server_runs_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    python = empty_environment(tmp_path)
    locked = ["--require-hashes", "-r", str(ROOT / "requirements.lock")]
    run(python, "-m", "pip", "install", "-q", *locked, folder=tmp_path)
    run(python, "-m", "pip", "install", "-q", "--no-deps", wheel, folder=tmp_path)
    script = """
from marketplace.cli.migrate import migrations_folder, newest_revision, upgrade
from marketplace.embedded import temporary
with temporary() as stack:
    upgrade(stack.environment["OWNER_DATABASE_URL"], app_role="app")
print(migrations_folder().parent.name, newest_revision())
"""

    said = run(python, "-c", script, folder=tmp_path).split()

    assert said == ["marketplace", sorted(file.stem for file in _migrations())[-1]]


def _migrations() -> list[Path]:
    return list((ROOT / "migrations" / "versions").glob("*.py"))
