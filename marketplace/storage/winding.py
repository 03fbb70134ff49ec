"""A stream that can be wound, over a source that only reads on from a place."""

from __future__ import annotations

import io
import os
from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Piecewise(Protocol):
    """What a source gives from a place on."""

    def read(self, size: int, /) -> bytes:
        """The next bytes; none at the end."""

    def close(self) -> None:
        """Let the source go."""


class Wound(io.RawIOBase):
    """A source that only reads on, as a stream that can be wound: it is asked anew there."""

    def __init__(self, at: int) -> None:
        self._at = at
        self._source: Piecewise | None = None

    @abstractmethod
    def begin(self, at: int) -> Piecewise:
        """The source from a place on."""

    @abstractmethod
    def whole(self) -> int:
        """How many bytes there are in all."""

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Where the next byte comes from."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """To a place; the source is asked for it with the next read."""
        if whence == os.SEEK_END:
            offset += self.whole()
        elif whence == os.SEEK_CUR:
            offset += self._at
        if offset != self._at:
            self._let_go()
        self._at = offset
        return offset

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """The next bytes."""
        target = memoryview(buffer).cast("B")
        if self._source is None:
            self._source = self.begin(self._at)
        piece = self._source.read(len(target))
        target[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _let_go(self) -> None:
        if self._source is not None:
            self._source.close()
            self._source = None

    def close(self) -> None:
        """Let the source go."""
        self._let_go()
        super().close()
