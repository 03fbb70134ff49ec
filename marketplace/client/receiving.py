"""Files on their way down: whole or not at all, going on where they broke off."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

import httpx

if sys.platform != "win32":
    import fcntl

from marketplace.client.engine import Engine, may_come_again, pause, unreachable
from marketplace.client.errors import Busy, Damaged, Refusal, Unreachable, refusal_of

Progress: TypeAlias = Callable[[int, int], object]
CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file that the API has. size: bytes; sha256: hex, of the whole; name: as the API says."""

    path: str
    name: str
    size: int
    sha256: str


async def fetched(
    engine: Engine, wanted: Wanted, target: str | os.PathLike[str], progress: Progress | None
) -> Path:
    """Bring a file to `target` (or into it, where it is a folder), and return where it lies.

    What has come stands beside it in a file named after the content, so another call goes on
    there, also in another process. Raises Unreachable, Refusal, Busy while another download writes
    the same file, and Damaged for other content.
    """
    place = Path(target)
    if place.is_dir():
        place = place / Path(wanted.name).name
    part = place.with_name(f"{place.name}.{wanted.sha256[:12]}.part")
    with part.open("ab+") as out:
        if not _alone(out):
            raise Busy(f"Another download of the same file is writing {part}.")
        begun = _Begun(out, wanted, progress)
        gone_on = begun.size > 0
        await _filled(engine, wanted, begun)
        if gone_on and begun.digest.hexdigest() != wanted.sha256:
            # What lay there was something else; the file itself may still be as announced.
            begun.anew()
            await _filled(engine, wanted, begun)
    if begun.digest.hexdigest() != wanted.sha256:
        part.unlink()
        raise Damaged(f"{wanted.name} is not what was announced: its SHA-256 is another one.")
    part.replace(place)
    return place


def _alone(out: IO[bytes]) -> bool:
    """Whether nobody else writes this file; taken until it is closed, also by a killed process."""
    if sys.platform == "win32":
        return True  # It has no such locks.
    try:
        fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # A file system without locks; whoever shares it takes care.
        return True
    return True


class _Begun:
    """The part that is there, with its digest."""

    def __init__(self, out: IO[bytes], wanted: Wanted, progress: Progress | None) -> None:
        self.out, self.wanted, self.progress = out, wanted, progress
        self.digest = hashlib.sha256()
        self.size = 0
        out.seek(0)
        while piece := out.read(CHUNK_BYTES):
            self.digest.update(piece)
            self.size += len(piece)
        if self.size > wanted.size:
            self.anew()

    def anew(self) -> None:
        """Forget what is there."""
        self.out.seek(0)
        self.out.truncate()
        self.digest = hashlib.sha256()
        self.size = 0

    def add(self, piece: bytes) -> None:
        """Keep what has come."""
        self.out.write(piece)
        self.digest.update(piece)
        self.size += len(piece)
        if self.progress is not None:
            self.progress(self.size, self.wanted.size)


async def _filled(engine: Engine, wanted: Wanted, begun: _Begun) -> None:
    tried = 0
    while begun.size < wanted.size:
        before = begun.size
        tried += 1
        try:
            await _went_on(engine, wanted, begun)
            return
        except httpx.RequestError as lost:
            # Whoever gets further is not held up by how often.
            tried = 1 if begun.size > before else tried
            if tried >= engine.tries:
                raise unreachable(lost) from lost
            await engine.transport.sleep(pause(tried))
        except Refusal as refusal:
            if tried >= engine.tries or not may_come_again(refusal, safe=True):
                raise
            await engine.transport.sleep(max(pause(tried), refusal.retry_after or 0))


async def _went_on(engine: Engine, wanted: Wanted, begun: _Begun) -> None:
    """One request for what is missing. Raises what cuts it short."""
    headers = {"Accept-Encoding": "identity"}
    if begun.size:
        headers |= {"Range": f"bytes={begun.size}-", "If-Range": f'"{wanted.sha256}"'}
    transport = engine.transport
    answer = await transport.send(transport.build("GET", wanted.path, headers=headers), stream=True)
    try:
        if not answer.is_success:
            body = await transport.read(answer)
            raise refusal_of(answer.status_code, answer.headers, body)
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise Unreachable("Something on the way changes files; ask for them another way.")
        if answer.status_code != httpx.codes.PARTIAL_CONTENT:
            begun.anew()
        async for piece in transport.pieces(answer):
            begun.add(piece)
    finally:
        await transport.close(answer)
    if begun.size < wanted.size:
        raise httpx.RemoteProtocolError("The file ended too early.", request=answer.request)
