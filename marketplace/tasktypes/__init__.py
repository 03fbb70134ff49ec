"""Task types: what a task shows, what a judgement says, how both are checked and exported.

Owns: for each type its template, item and judgement schemas (the contract served at
`/task-types/{type}`), its checks, its form fields, its units of voting, its export formats.
Promises: everything here is pure; the same input gives the same output and the same bytes;
checks answer with faults and never raise, whatever JSON they are given.
Never: reads a database, a request or a clock; knows who is asking.

Adding a type is one module:

1. Write `marketplace/tasktypes/<key>.py`. Build three `Shape`s (template, item, judgement) from
   the pieces in `pieces.py`; every object is closed, with `metadata` the lab's own corner of an
   item. What a schema can say, the schema says; it is the contract.
2. Add the rules that need two values at once (`template_rule`, `item_rule`, `judgement_rule`);
   they are called only after the schemas accepted their values. A fault's message says what is
   wrong and what to do.
3. Write `units`: unit name → label that can be voted on, `{}` for free text. `gold_agrees` follows
   from it; give `gold_rule` where agreement has shades. `scales` says what kind of answer each
   unit takes, and `marks` what people place themselves: no statistics need know the type's name.
4. Where responses have an order on the screen, give `slots` and `favourite`.
5. Forms follow from the judgement's schema (`fields.py`); give `read_form` and `write_form` only
   where the flat fields differ from the judgement.
   Where a model has spoken before, `prelabels_shown` says what of it the specialist sees in the
   payload, `first_answer` what the form starts from, `complete` who said what in the end, and
   `prelabels_told` what the author learns afterwards; where none is given, none of it leaves us.
   Where a specialist talks to a model, `conversation` says what of: the pieces in
   `conversation.py`, `complete` with `conversation.merged`, and workbench/conversation.html.
6. Write at least one exporter beside `raw`: a generator that calls `counts.keep()` or
   `counts.drop(reason)` exactly once for each unit it reads, and the format in `formats` where
   there is none yet: `TRL_PREFERENCE.by(convert)`.
7. Add the type to `TASK_TYPES` below, and an example to `tests/tasktypes/examples.py`; the tests
   of every type then hold it to the promises above.

Decisions: a judgement always speaks in the item's own names, whatever order was shown
(`presented_order` is stored beside it). `rationale`, `confidence`, `references` and `ai_use` stand
on the submission. A majority is more than half of the votes; less is `no_majority`.
2026-11: `chat` names a reply by the place of its candidate in the template; at a tie the one that
was shown first goes on; replies of an attempt that ended with “neither” lose against an edit only.
Words that no model answered are no turn.
2026-11: offsets in texts count Unicode code points and a span carries its words, so that a text
which changed is found out; votes on spans are by extent and by token, and what nobody marked is
nobody's vote, so exports count a span against all judgements of its item. An exporter may
`encode` its rows as a text of its own (CoNLL), or put a `frame` around them. Label Studio's
language is a package with a charter of its own (`label_studio`).
2026-11: a format is described once, in `formats`, and says of itself what reads it, what it cannot
hold and what its columns are; a type adds only how its judgements become rows. The first format of
a type is the one to offer; HelpSteer3 is that for preferences, since it keeps every vote. A file
that knows of all its rows is a `document` (COCO) or has `members` (VOC, YOLO, DocBin, in a ZIP
without times), and is written in one go in memory that does not grow with it. What a format says
otherwise than it was said is `noted` beside what is dropped: ties in unpaired rows, polygons as
boxes, spans that overlap. DocBin is written without spaCy: its numbers for strings are hashes and
a list of its own words, and tokens are cut where spans begin and end, so that none is lost. A text
that holds a mark of a turn has no place in hh-rlhf, whose readers would see another dialogue.
2026-11: a comment of a code review stands on a line that the diff shows, or on a file as a whole;
its path is the one after the change, on both sides. Diffs with wrong lengths are read by their
signs, since models write them so. Votes are on verdicts alone; gold also counts comments, found
within two lines. A red-team template must say `welfare`; such a type sets `may_opt_out`, and its
exports have no column for what we never tell of people. What nobody named is nobody's vote there
either.
2026-11: scales say what leaving out a unit means that another named; `filled` writes it out for
statistics, exports do not. A unit that no pattern fits is nominal with open labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from marketplace.errors import Missing
from marketplace.tasktypes import scales
from marketplace.tasktypes.chat import CHAT
from marketplace.tasktypes.code import CODE
from marketplace.tasktypes.contract import TaskType as TaskType
from marketplace.tasktypes.correction import CORRECTION
from marketplace.tasktypes.critique_revise import CRITIQUE_REVISE
from marketplace.tasktypes.demonstration import DEMONSTRATION
from marketplace.tasktypes.exports import Counts as Counts
from marketplace.tasktypes.exports import Exporter as Exporter
from marketplace.tasktypes.exports import ExportRow as ExportRow
from marketplace.tasktypes.exports import Policy as Policy
from marketplace.tasktypes.exports import PolicyUnavailable as PolicyUnavailable
from marketplace.tasktypes.exports import line as line
from marketplace.tasktypes.fact_check import FACT_CHECK
from marketplace.tasktypes.judge_calibration import JUDGE_CALIBRATION
from marketplace.tasktypes.pairwise import PAIRWISE
from marketplace.tasktypes.ranking import RANKING
from marketplace.tasktypes.records import AuthoredJudgement as AuthoredJudgement
from marketplace.tasktypes.records import Record as Record
from marketplace.tasktypes.red_team import RED_TEAM
from marketplace.tasktypes.regions import REGIONS
from marketplace.tasktypes.rubric import RUBRIC
from marketplace.tasktypes.rubric_writing import RUBRIC_WRITING
from marketplace.tasktypes.scales import Mark as Mark
from marketplace.tasktypes.scales import Scale as Scale
from marketplace.tasktypes.scales import ScaleKind as ScaleKind
from marketplace.tasktypes.shapes import Json as Json
from marketplace.tasktypes.shapes import unstorable_places as unstorable_places
from marketplace.tasktypes.spans import SPANS
from marketplace.tasktypes.trajectory import TRAJECTORY
from marketplace.tasktypes.votes import Units as Units

TASK_TYPES: Mapping[str, TaskType] = MappingProxyType(
    {
        each.key: each
        for each in (
            PAIRWISE,
            RANKING,
            RUBRIC,
            DEMONSTRATION,
            FACT_CHECK,
            CODE,
            SPANS,
            REGIONS,
            RUBRIC_WRITING,
            TRAJECTORY,
            CRITIQUE_REVISE,
            JUDGE_CALIBRATION,
            CORRECTION,
            CHAT,
            RED_TEAM,
        )
    }
)


def task_type(key: str) -> TaskType:
    """The task type of this key; raises Missing with the keys there are."""
    found = TASK_TYPES.get(key)
    if found is None:
        raise Missing(f"There is no task type “{key[:80]}”. There are {', '.join(TASK_TYPES)}.")
    return found


def scale_of(kind: TaskType, template: Json, unit: str) -> Scale:
    """What kind of answer a unit takes; a unit that no pattern fits is nominal, its labels open."""
    return scales.found(kind.scales_of(template), unit) or scales.NOMINAL


def filled(kind: TaskType, template: Json, ballots: Sequence[Units]) -> list[Units]:
    """The ballots of one task (a judgement's units each), what silence means written out.

    A kind of harm that one of three named has three votes then: one yes, two no.
    """
    return scales.filled(kind.scales_of(template), ballots)
