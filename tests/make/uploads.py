"""Forms with a file, as bytes: the test client would leave its own temporary file open."""

from __future__ import annotations

from typing import Any

BOUNDARY = "----------------marketplace-tests"


def form(filename: str, content: bytes, **fields: str) -> dict[str, Any]:
    """What the test client takes to send the file in the field `file`, with other fields."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = f'Content-Disposition: form-data; name="file"; filename="{filename}"'
    parts.append(f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + content + b"\r\n")
    body = b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
    return {"data": body, "content_type": f"multipart/form-data; boundary={BOUNDARY}"}
