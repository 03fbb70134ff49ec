"""What the quick start shows runs as it stands: copied from the page, run by bash and by Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.web.visitors import COOKIE
from tests.cli.conftest import Run
from tests.cli.test_commands import judged, posted
from tests.make import identity
from tests.web.labs.test_quick_start import pieces_of

pytestmark = pytest.mark.slow
BEGUN = ["start", "who", "post", "status", "submissions", "export", "again", "events"]


@pytest.mark.parametrize("way", ["curl", "python", "command"])
def test_the_pieces_of_the_page_run(
    way: str, run: Run, app: Flask, lab: Actor, tmp_path: Path
) -> None:
    job_id = posted(run, tmp_path, "--publish")
    judged(lab, job_id)
    assert 0 == run("export", job_id, "--to", str(tmp_path / "first")).exit_code
    with transaction() as session:
        cookie = identity.cookie(session, lab)
    browser = app.test_client()
    browser.set_cookie(COOKIE, cookie)

    found = pieces_of(browser.get(f"/lab/quick-start?with={way}").text)
    found |= pieces_of(browser.get(f"/lab/jobs/{job_id}/code?with={way}").text)

    assert set(BEGUN) | {"items"} == set(found)
    code = "\n\n".join(found[key] for key in [*BEGUN[1:], "items"])
    ran = _ran(way, code, tmp_path)
    assert 0 == ran.returncode, ran.stderr
    assert "Northlight" in ran.stdout or "jobs.view" in ran.stdout
    files = sorted(each.name for each in tmp_path.iterdir() if each.suffix == ".jsonl")
    assert 3 == len(files), files  # The items, the new export, and the first one once more.


def _ran(way: str, code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run code where the commands of this interpreter are on the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, "-c", code] if way == "python" else ["bash", "-euo", "pipefail"]
    return subprocess.run(
        command,
        input=None if way == "python" else code,
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
