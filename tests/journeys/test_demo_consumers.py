"""What a lab takes home is what training libraries take in; the whole real folder goes through.

Slow: `make test-all` installs the libraries and runs these.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from marketplace.demo.replay import source
from marketplace.demo.replay.source import Comparison
from marketplace.tasktypes import Counts, line, task_type
from marketplace.tasktypes.records import AuthoredJudgement, Record
from tests.journeys.test_demo_replay import write_folder

TRAINER = Path(__file__).with_name("train_on.py")
KAPPAS = "Cohen's kappa between the people: 0.852, 0.879, 0.862"
JUDGES = "Cohen's kappa with the majority:  gpt-3.5-turbo 0.476, pandalm-7b 0.435"
REPLAY_SECONDS = 1_500

pytestmark = pytest.mark.slow


def record_of(item: Comparison) -> Record:
    """The item with its recorded answers, as an export reads it."""
    return Record(
        item_id=item.external_id,
        external_id=item.external_id,
        task_type="pairwise",
        payload=dict(item.payload),
        judgements=tuple(
            AuthoredJudgement(
                annotation_id=f"{item.external_id}-{place}",
                judgement={"choice": choice},
                author=f"P{place}",
            )
            for place, choice in enumerate(item.choices)
        ),
        template={},
        template_version=1,
    )


def trained_on(path: Path) -> dict[str, object]:
    """What the training libraries saw; skipped where they are not installed."""
    for library in ("datasets", "trl", "torch"):
        if find_spec(library) is None:
            pytest.skip(f"{library} is not installed: pip install 'marketplace[consumers]'.")
    offline = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(path.parent / "hub")}
    ran = subprocess.run(
        [sys.executable, str(TRAINER), str(path)],
        env=offline,
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert 0 == ran.returncode, ran.stderr[-3_000:]
    seen: dict[str, object] = json.loads(ran.stdout.splitlines()[-1])
    return seen


def test_training_libraries_take_the_export(tmp_path: Path) -> None:
    write_folder(tmp_path)
    items = source.read(tmp_path)
    counts = Counts()
    path = tmp_path / "pairs.jsonl"
    exporter = task_type("pairwise").exports["trl_preference"]
    rows = exporter.rows(map(record_of, items), "majority", counts)
    path.write_bytes(b"".join(map(line, rows)))

    seen = trained_on(path)

    assert counts.rows == seen["rows"]
    assert ["chosen", "external_id", "margin", "prompt", "rejected"] == seen["columns"]


def test_the_whole_folder_goes_through(sample_data: Path, tmp_path: Path) -> None:
    folder = sample_data / "pandalm_pairwise"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there.")
    command = [sys.executable, "-m", "marketplace.cli", "--data-dir", str(tmp_path / "data")]

    ran = subprocess.run(
        [*command, "demo", "replay", str(folder), "--port", "0"],
        check=False,
        capture_output=True,
        text=True,
        timeout=REPLAY_SECONDS,
    )

    assert 0 == ran.returncode, ran.stdout + ran.stderr
    assert "2,997 answers were handed in." in ran.stdout
    assert KAPPAS in ran.stdout
    assert JUDGES in ran.stdout
    (pairs,) = (tmp_path / "data" / "exports").glob("*trl_preference*")
    assert 894 == trained_on(pairs)["rows"]
