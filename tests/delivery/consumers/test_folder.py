"""The dataset folder in the hands of its readers: mlcroissant, and `datasets` where it is there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.delivery.test_bundles import judged, written

pytestmark = pytest.mark.slow
SECONDS = 300
# In a process of its own, since it turns warnings of its dependencies loose.
CROISSANT = """
import json, sys
import mlcroissant
data = mlcroissant.Dataset(sys.argv[1])
found = {each: [row for row in data.records(each)] for each in ("helpsteer3", "raw")}
issues = data.metadata.ctx.issues
told = [row["raw/judgement"].decode() for row in found["raw"]]
print(json.dumps([sorted(issues.errors), sorted(issues.warnings), len(found["helpsteer3"]), told]))
"""
DATASETS = """
import json, sys
from datasets import load_dataset
main = load_dataset(sys.argv[1], split="train", cache_dir=sys.argv[2])
raw = load_dataset(sys.argv[1], "raw", split="train", cache_dir=sys.argv[2])
print(json.dumps([main.num_rows, list(main.features), raw["judgement"][:]]))
"""


def ran(program: str, *arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert 0 == done.returncode, done.stderr[-3_000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_folder_is_read_by_its_readers(session: Session, tmp_path: Path) -> None:
    export, job = judged(session)
    archive, counts = written(session, export, job)
    folder = tmp_path / "folder"
    with zipfile.ZipFile(BytesIO(archive)) as packed:
        packed.extractall(folder)
    lines = (folder / "annotations_raw.jsonl").read_text().splitlines()
    given = [json.loads(each) for each in lines]
    said = [json.dumps(each["judgement"], separators=(",", ":")) for each in given]

    assert [[], [], counts.rows, said] == ran(CROISSANT, str(folder / "croissant.json"))
    if find_spec("datasets") is None:
        pytest.skip("`datasets` is not installed: pip install 'marketplace[consumers]'.")
    rows, columns, loaded = ran(DATASETS, str(folder), str(tmp_path / "cache"))

    assert (counts.rows, said) == (rows, loaded)
    assert {"domain", "context", "response1", "overall_preference"} <= set(columns)
