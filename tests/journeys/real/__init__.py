"""Real sets as labs would send them: for each task type a job, its rows, and what people answered.

Nothing here is invented but the words of the templates: material, pre-labels and answers are those
of the sets that `SAMPLE_DATA` names, cut to a few rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from tests.journeys.real import assisted, dialogues, images, preferences, runs, texts
from tests.journeys.real.sets import RealSet

REAL_SETS: Mapping[str, Callable[[Path], RealSet]] = MappingProxyType(
    {
        "pairwise": preferences.pairwise,
        "ranking": preferences.ranking,
        "rubric": preferences.rubric,
        "demonstration": texts.demonstration,
        "fact_check": texts.fact_check,
        "spans": texts.spans,
        "rubric_writing": texts.rubric_writing,
        "critique_revise": assisted.critique_revise,
        "judge_calibration": assisted.judge_calibration,
        "correction": assisted.correction,
        "trajectory": runs.trajectory,
        "code": runs.code,
        "regions": images.regions,
        "red_team": dialogues.red_team,
    }
)
