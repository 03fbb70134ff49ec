"""Jobs: what a lab posts, its items, and how they come in.

Owns: jobs and their lifecycle, template versions, items with pre-labels and gold, imports with
their rejected rows, prices and the lint before publishing.
Promises: a template version never changes, and every change makes a new one; sending an item
twice adds nothing, and an item once stored is never altered by a later sending; positions of
items are dense, in order of arrival; an import that is cut short goes on where it stopped; memory
does not grow with the size of what is read; a job's state moves only along `rules.NEXT`.
Never: opens seats, reserves money or pays. `routing.publish_job` does, and then calls
`service.open_job`; it asks `queries.jobs_wanting_seats` for jobs that got items later.

Decisions
- 2026-07: a payload is stored letter for letter as it was sent, since exports and workbenches
  pass it on without decoding.
- 2026-07: an object that names a key twice is refused: two readers would see two payloads.
- 2026-07: an item that was stored with other content is a rejected row with a message that the
  stored one is kept; the same content again counts as a duplicate.
- 2026-07: rejected rows keep line, pointer, message and external id, never the row itself, as
  rows may be about people.
- 2026-07: instructions belong to the template version, so that a submission pins the guideline
  that its author read.
- 2026-07: the fee is taken for each seat and rounded there, so the quote is the sum of what is
  charged, to the cent.
- 2026-11: a qualification is a job whose purpose says so, with terms (`qualification`) and a bank
  (`qualification_item`). Its forms are dealt at publishing and stand fast: each has the same number
  of items of each concept, no item stands in two, what is left over is a spare. It pays for
  candidates, not for items, so `seats_max` takes the place of items times overlap in its price.
- 2026-11: an image is told by its content, never by its name, and stored as it was sent under its
  own hash in the job's folder; a name stands for one content of a job for ever. Browsers get the
  picture alone, without EXIF and texts. Files of several pages, of 32 bits and DICOM are refused,
  since a part of them would be lost or would name a patient. 16 bits become 8 in the store, for
  windows and levels on a grid of 64, so that what is stored is bounded.
- 2026-11: every item of a bank has gold, and gold that its task type can mark; what candidates
  hand in is compared with it and never run, code included: right answers about code come from unit
  tests that were run where the item was made.
- 2026-11: a job is one document (`rules.document`), the body of POST /jobs; forms, files and the
  gallery (`rules.ready`) all go through it, so none knows a field that another does not.
- 2026-11: a running job gets a new version by `service.make_version` only, with a word on work that
  was begun: it finishes on the old, is asked again, or people qualify again first. A note that
  clarifies (`service.clarify`) asks nothing and holds for claims from then on.
- 2026-11: items are looked through for personal details in the background, wherever they came from
  (`rules.scan`, `jobs.scan_items`). The patterns are our own, with check digits or the words
  around them, as the analysers at hand load language models. Counts by kind and field and a few
  covered excerpts are kept, never a value, with the scanner's version. What leaves little doubt
  keeps a draft back until the lab declares on it, and the rest is advice; a declaration holds
  until more is found. Read by hand on public sets: of 370 different hits in 1,074 sentences of
  Indian judgements 3 named no person; of 12 hits in 1,462 texts of medical dialogues none was
  wrong; of 22 in 1,224 legal problems one was a brand; all 4 in 8,927 texts of medical abstracts
  were ages of no one person. What is missed was not measured: names without a title, in other
  scripts, or told by nothing but their sound are. It reads 2 to 4 MB a second on one core.
- 2026-11: publishing does not wait for the scan, so what it finds later, or in later items, pauses
  an open job (`service.pause_over_finds`, reason `personal`), with a letter to those of the lab who
  may publish. A declaration on all of it opens the job again; nothing else resumes it, not even a
  pause that the lab made itself in the meantime.
- 2026-11: the lint's faults keep a job back, its advice does not; both name a field and a remedy.
- 2026-11: a file is known by its content, not by its name (`rules.imports`, one module a kind), and
  people see its first rows as items before anything is read; programs may `hold` it likewise. The
  kinds that nothing else looks like are never read as plain records unless somebody says so.
- 2026-11: what a file's labels become is chosen: suggestions, right answers, or nothing. What a
  reader cannot carry over is counted by reason and told; it is never dropped in silence.
- 2026-11: columns of tables are mapped by whoever looked; without a column for the id, a hash of
  what a row says names it, so that the same row again adds nothing.
- 2026-11: sending a grown file costs its new rows: chunks are marked by the hash of their bytes
  (`import_mark`), and the parts of a later file that are the same and were all taken are passed
  over unread. Rows that are stored exactly so are told before any check. Parquet, COCO and archives
  have no marks: their rows are read and told apart one by one.
- 2026-11: nothing of an archive is unpacked to a disk; its list is checked before it is read, and a
  file that climbs out, links, is encrypted or unpacks to 200 times its size costs only itself.
- 2026-11: a lab's bucket is read at endpoints that the operator named, never at any address; its
  key is encrypted, for one job. One file is copied into our store first, a prefix is read there.
- 2026-11: `specialist_items_max` is the most items that specialists judge where models judge the
  rest; the quote and what is reserved follow it, and items that come later reserve nothing beyond.
"""
