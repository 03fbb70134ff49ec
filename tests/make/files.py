"""Files that labs send: small ones of every kind, archives, and archives made to harm."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

from pyarrow import Table
from pyarrow import parquet as columns

from marketplace.jobs.rules.imports import HEAD_BYTES, Head


@dataclass(frozen=True)
class Given:
    """A file in memory, as readers see a file."""

    name: str
    content: bytes

    @property
    def size(self) -> int | None:
        return len(self.content)

    @property
    def head(self) -> Head:
        return Head(self.name, self.content[:HEAD_BYTES], len(self.content) <= HEAD_BYTES)

    def open(self, offset: int = 0) -> IO[bytes]:
        return io.BytesIO(self.content[offset:]) if offset else io.BytesIO(self.content)


def jsonl(*rows: Any) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def parquet(rows: list[dict[str, Any]], **options: Any) -> bytes:
    """Rows as a Parquet file; options of the library's writer."""
    out = io.BytesIO()
    columns.write_table(Table.from_pylist(rows), out, **options)
    return out.getvalue()


def zipped(files: Mapping[str, bytes], *, packed: bool = True) -> bytes:
    """Files by name as a zip file, in the order in which they are given."""
    out = io.BytesIO()
    way = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(out, "w", way) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, way)
    return out.getvalue()


COCO = {
    "info": {"year": 2026},
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 1, "bbox": [1, 2, 3, 4], "iscrowd": 0},
        {"id": 2, "image_id": 8, "category_id": 2, "bbox": [0, 0, 2, 2], "iscrowd": 0},
        {"id": 3, "image_id": 7, "category_id": 1, "segmentation": {"counts": "x"}, "iscrowd": 1},
        {"id": 4, "image_id": 7, "category_id": 2, "bbox": [4, 1, 2, 2]},
    ],
    "images": [
        {"id": 7, "file_name": "one.png", "width": 8, "height": 6},
        {"id": 8, "file_name": "pictures/two.png", "width": 8, "height": 6},
    ],
    "categories": [{"id": 1, "name": "Red cell"}, {"id": 2, "name": "White cell"}],
}
VOC = b"""<?xml version="1.0"?><annotation><filename>one.png</filename>
<size><width>8</width><height>6</height></size>
<object><name>Red cell</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>4</xmax><ymax>6</ymax>
</bndbox></object></annotation>"""
CELLS = {
    "labels": [
        {"key": "red_cell", "title": "Red cell", "kinds": ["box"]},
        {"key": "white_cell", "title": "White cell", "kinds": ["box"]},
    ]
}
TREE = {
    "message_tree_id": "m0",
    "tree_state": "ready_for_export",
    "prompt": {
        "message_id": "m0",
        "role": "prompter",
        "text": "How do I rest? 🛏️",
        "lang": "en",
        "replies": [
            {"message_id": "m2", "role": "assistant", "text": "Well.", "rank": 1, "replies": []},
            {
                "message_id": "m1",
                "role": "assistant",
                "text": "Lie down.",
                "rank": 0,
                "replies": [
                    {"message_id": "m3", "role": "prompter", "text": "Where?", "replies": []}
                ],
            },
            {"message_id": "m4", "role": "assistant", "text": "x", "deleted": True, "replies": []},
        ],
    },
}
SOLUTION = {
    "labeler": "l1",
    "is_quality_control_question": False,
    "question": {"problem": "What is 2 + 2?", "ground_truth_answer": "4"},
    "label": {
        "steps": [
            {
                "completions": [{"text": "Add them.", "rating": 1}, {"text": "Hm.", "rating": 0}],
                "human_completion": None,
                "chosen_completion": 0,
            },
            {
                "completions": [{"text": "It is 5.", "rating": -1}],
                "human_completion": None,
                "chosen_completion": None,
            },
        ],
        "total_time": 1200,
        "finish_reason": "found_error",
    },
}
FAILURE = {
    "question": "Who won?",
    "question_ID": "q1",
    "history": [
        {"role": "human", "content": "Who won?"},
        {"role": "assistant", "name": "Searcher", "content": "Nobody."},
    ],
    "mistake_agent": "Searcher",
    "mistake_step": "1",
    "mistake_reason": "Somebody did.",
}
RUN = {
    "task_id": 3,
    "trial": 1,
    "reward": 1.0,
    "traj": [{"role": "user", "content": "Book me."}, {"role": "assistant", "content": "Done."}],
}
TRAJ = {
    "environment": "swe",
    "trajectory": [{"action": "ls", "observation": "a\r\n", "thought": "Look."}],
    "history": [{"role": "user", "content": "Mend it."}],
    "info": {},
}
