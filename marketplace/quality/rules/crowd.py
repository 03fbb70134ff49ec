"""Labels in columns: what every statistic of authors and tasks starts from; pure."""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Task = TypeVar("Task", bound=Hashable)
Author = TypeVar("Author", bound=Hashable)
Label = TypeVar("Label", bound=Hashable)

UNKNOWN = -1


@dataclass(frozen=True, eq=False)
class Labels:
    """One vote a row: author `authors[i]` says `labels[i]` of task `tasks[i]`.

    tasks, authors, labels: int32[n], each counted from 0. The counts bound them, and may be
    larger: a task without votes, an author who has said nothing, a label that nobody chose.
    An author has one vote on a task; a second one would count twice.
    """

    tasks: Ints
    authors: Ints
    labels: Ints
    task_count: int
    author_count: int
    label_count: int

    def __post_init__(self) -> None:
        for name, count in (
            ("tasks", self.task_count),
            ("authors", self.author_count),
            ("labels", self.label_count),
        ):
            column = getattr(self, name)
            if column.shape != self.tasks.shape or column.ndim != 1:
                raise ValueError(f"The columns of labels differ in length: {name}.")
            if len(column) and (column.min() < 0 or column.max() >= count):
                raise ValueError(f"A number in {name} lies outside 0 … {count - 1}.")

    def __len__(self) -> int:
        return len(self.tasks)

    @staticmethod
    def of(
        rows: Iterable[tuple[Task, Author, Label]], *, values: Iterable[Label] = ()
    ) -> Named[Task, Author, Label]:
        """Labels from (task, author, label), with the names that the numbers stand for.

        Where an author speaks of a task twice the last word counts. Tasks and authors are
        numbered as they first appear; labels are sorted where they can be compared. `values`
        are labels that could have been given, whether or not anybody gave them.
        """
        tasks: dict[Task, int] = {}
        authors: dict[Author, int] = {}
        given: dict[Label, int] = {}
        columns = array("i"), array("i"), array("i")
        for task, author, label in rows:
            columns[0].append(tasks.setdefault(task, len(tasks)))
            columns[1].append(authors.setdefault(author, len(authors)))
            columns[2].append(given.setdefault(label, len(given)))
        one, two, three = (np.array(column, dtype=np.int32) for column in columns)
        kept = _last_words(one, two, len(authors))
        ordered = _in_order({*values, *given})
        number = {value: at for at, value in enumerate(ordered)}
        turned = np.array([number[value] for value in given], dtype=np.int32)
        said = turned[three[kept]] if len(three) else three
        labels = Labels(one[kept], two[kept], said, len(tasks), len(authors), len(ordered))
        return Named(labels, tuple(tasks), tuple(authors), tuple(ordered), len(one) - len(kept))


@dataclass(frozen=True, eq=False)
class Named(Generic[Task, Author, Label]):
    """Labels beside the names of their tasks, authors and values; `repeated` votes were passed."""

    labels: Labels
    tasks: tuple[Task, ...]
    authors: tuple[Author, ...]
    values: tuple[Label, ...]
    repeated: int

    def gold(self, truth: Mapping[Task, Label]) -> Ints:
        """The known truth of each task as int32[T], -1 where it is unknown.

        Raises ValueError for a truth that is not among the values.
        """
        number = {value: at for at, value in enumerate(self.values)}
        found = np.full(len(self.tasks), UNKNOWN, dtype=np.int32)
        for at, task in enumerate(self.tasks):
            if task in truth:
                if truth[task] not in number:
                    raise ValueError(f"Nobody could have said {truth[task]!r} of {task!r}.")
                found[at] = number[truth[task]]
        return found


def _last_words(tasks: Ints, authors: Ints, author_count: int) -> npt.NDArray[np.intp]:
    """The places of the votes that count, in their order: each author's last of each task."""
    pairs = tasks.astype(np.int64) * max(author_count, 1) + authors
    order = np.argsort(pairs, kind="stable")
    ends = np.ones(len(pairs), dtype=bool)
    ends[:-1] = pairs[order][1:] != pairs[order][:-1]
    kept = order[ends]
    kept.sort()
    return kept


def _in_order(values: set[Label]) -> list[Label]:
    """Sorted, so that the numbers do not hang on who spoke first; by words where types differ."""
    try:
        return sorted(values)  # type: ignore[type-var]
    except TypeError:
        return sorted(values, key=lambda value: (type(value).__name__, str(value)))
