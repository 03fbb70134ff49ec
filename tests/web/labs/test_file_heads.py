"""How files begin: rows where a line is a row, else the text itself."""

from __future__ import annotations

from io import BytesIO

from marketplace.web.labs.file_heads import _lines


def test_a_line_is_a_row_only_where_it_can_be_read_by_itself() -> None:
    rows = _lines(BytesIO(b'{"a":1}\n{"a":2}\n'), packed=False)
    listed = _lines(BytesIO(b'[\n{"a":1}\n,\n{"a":2}\n]\n'), packed=False)
    document = _lines(
        BytesIO(b'{"annotations":[\n{"id":1},\n{"id":2}],\n"images":[]}\n'), packed=False
    )
    tags = _lines(BytesIO(b"Take O\n200 B-DOSE\n\n"), packed=False)

    assert ('{\n  "a": 1\n}', '{\n  "a": 2\n}') == rows == listed
    assert ('{"annotations":[\n{"id":1},\n{"id":2}],\n"images":[]}\n',) == document
    assert ("Take O\n200 B-DOSE\n\n",) == tags
