"""Message trees as OpenAssistant published them.

Ids follow from the judgement's own id and the place in it, so the same judgement gives the same
bytes. Source: Open Assistant's schema of exported trees.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from uuid import UUID

from marketplace.tasktypes.exports import ExportRow
from marketplace.tasktypes.records import AuthoredJudgement, Record
from marketplace.tasktypes.shapes import Json

# OpenAssistant names languages by their tags.
TAGS = {"english": "en"}


def spoken_of(messages: Sequence[Json]) -> list[Json]:
    """The messages that a tree has a place for."""
    return [each for each in messages if each["role"] in {"user", "assistant"}]


def system_of(messages: Sequence[Json]) -> str:
    """What a system was told; the format has no place for it inside the tree."""
    told = [each["content"] for each in messages if each["role"] in {"system", "developer"}]
    return "\n\n".join(told)


class Tree:
    """One judgement as a tree, which grows below `at`, the message that was said last."""

    def __init__(self, record: Record, given: AuthoredJudgement) -> None:
        self._record, self._given = record, given
        self._top: list[Json] = []
        self.at: Json | None = None

    def open(self, spoken: Sequence[Json]) -> None:
        """What was said before anybody was asked, one message under the other."""
        for number, message in enumerate(spoken):
            self.say(f"o{number}", message["role"], message["content"])

    def say(self, place: str, role: str, text: str) -> Json:
        """Add a message and go on below it."""
        self.at = self._add(place, role, text, None)
        return self.at

    def reply(self, place: str, text: str, *, rank: int | None) -> Json:
        """Add a reply of an assistant and stay where we are; rank: 0 is best."""
        return self._add(place, "assistant", text, rank)

    def sort(self) -> None:
        """Put the replies to the last message in the order of their ranks."""
        if self.at is not None:
            self.at["replies"].sort(key=lambda node: node["rank"])

    def row(self, system: str) -> ExportRow:
        """The whole tree."""
        return {
            "message_tree_id": self._top[0]["message_id"],
            "tree_state": "ready_for_export",
            "origin": self._record.external_id,
            "prompt": self._top[0],
            **({"system": system} if system else {}),
        }

    def _add(self, place: str, role: str, text: str, rank: int | None) -> Json:
        node: Json = {
            "message_id": self._id(place),
            "parent_id": None if self.at is None else self.at["message_id"],
            "user_id": self._given.author if place.startswith("t") else None,
            "text": text,
            "role": "prompter" if role == "user" else "assistant",
            "lang": TAGS.get(self._record.language, self._record.language),
            "synthetic": False,
            "model_name": None,
            "rank": rank,
            "created_date": self._given.submitted_at,
            "review_count": 0,
            "review_result": None,
            "deleted": False,
            "emojis": {},
            "labels": {},
            "events": {},
            "replies": [],
        }
        (self._top if self.at is None else self.at["replies"]).append(node)
        return node

    def _id(self, place: str) -> str:
        digest = hashlib.sha256(f"{self._given.annotation_id}/{place}".encode()).digest()
        return str(UUID(bytes=digest[:16], version=5))
