"""Label Studio's language: configurations, tasks and results, to our task types and back.

Owns: which tag is said how by which of our types (`Dialect`), the reading of tasks as items, the
writing of judgements as annotations.
Promises: a task comes back with everything it had, whatever of it we could use: its data, meta,
predictions and annotations stand word for word in the item's `metadata`, which no specialist sees.
What a specialist left as it was keeps the result it came with, with its id, its decimals and its
score; what was changed keeps its id. What could not be carried over is counted by reason.
Never: takes anybody's annotation for a judgement. Who made it was not verified here and is not
paid here, so it counts in no vote; an annotation marked `ground_truth` becomes gold, predictions
become pre-labels, and other annotations do so only in types that begin from a pre-label.

Decisions
- 2026-11: Label Studio's pairwise control has no tie, so a tie or “both bad” goes out as a further
  Choices result. A ranking goes out as lists by name, one for each tier where there are ties; a
  bare list is read too. Points, boxes and polygons are per cent of the image's sides. Texts are
  counted in code points; marks in HTML count the text that a browser shows.
- 2026-11: what we write was given to Label Studio 1.23 itself, whose importer is stricter than its
  documents: an author that is none of its accounts, a Choices without options or a part of the data
  that the configuration shows and a task lacks make it refuse the whole file. So authors stand in
  `meta`, empty controls are left out and missing lists are written as empty. All results, data and
  ids came back from it as they went in.
- 2026-11: chats, red-team dialogues and fact checks go out (`going_out`) and are not read, as tasks
  hold only half of such items. The other types have no tags; `project.NOT_TOLD` says why.
- 2026-11: the lab's configuration is kept in the template, so that results go back in the names of
  its own controls; without it, names are those that the task's own results use, else ours.
"""
