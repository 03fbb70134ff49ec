"""Load every JSONL of a folder and put it through TRL's own checks, for a program of its own:
`python load_with_datasets.py FOLDER`. Files are named `<type>-<format>.jsonl`.

Prints what was seen as JSON: by file the rows, the columns, and what TRL makes of them.
"""

from __future__ import annotations

import json
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

# By name, since they are an extra that few installations have.
datasets, trl, data_utils = map(import_module, ("datasets", "trl", "trl.data_utils"))


def preference(rows: Any) -> dict[str, Any]:
    """Whether TRL sees messages, and how many rows it makes of pairs taken apart."""
    taken_apart = data_utils.maybe_unpair_preference_dataset(rows)
    return {
        "conversational": data_utils.is_conversational(rows[0]),
        "unpaired_rows": len(taken_apart),
        "labels": sorted(set(taken_apart["label"])),
    }


def implicit(rows: Any) -> dict[str, Any]:
    """Whether TRL finds the prompt that two dialogues share, and loses nothing of them."""
    found = data_utils.extract_prompt(rows[0])
    whole = {name: found["prompt"] + found[name] for name in ("chosen", "rejected")}
    return {
        "conversational": data_utils.is_conversational(rows[0]),
        "same": whole == {name: rows[0][name] for name in whole},
        "prompt_ends": found["prompt"][-12:].strip(),
    }


def conversational(rows: Any) -> dict[str, Any]:
    return {"conversational": data_utils.is_conversational(rows[0])}


def stepwise(rows: Any) -> dict[str, Any]:
    pairs = [len(row["completions"]) == len(row["labels"]) for row in rows]
    kinds = {type(label).__name__ for row in rows for label in row["labels"]}
    return {"as_long": all(pairs), "labels": sorted(kinds)}


CHECKS = {
    "trl_preference": preference,
    "hh_rlhf": implicit,
    "trl_unpaired": conversational,
    "trl_messages": conversational,
    "trl_prompt_completion": conversational,
    "openai_sft": conversational,
    "trl_stepwise": stepwise,
    "trl_stepwise_prm800k": stepwise,
}


def main(folder: Path) -> None:
    """Load every file, print what was seen."""
    seen = {}
    for path in sorted(folder.glob("*.jsonl")):
        with tempfile.TemporaryDirectory() as cache:
            rows = datasets.load_dataset(
                "json", data_files=str(path), split="train", cache_dir=cache
            )
            check = CHECKS.get(path.stem.partition("-")[2])
            told = check(rows) if check else {}
            seen[path.stem] = {"rows": len(rows), "columns": sorted(rows.column_names), **told}
    sys.stdout.write("\n" + json.dumps(seen) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
