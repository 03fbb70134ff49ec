"""Quality: how far the judgements of a job can be trusted.

Owns no tables yet; the statistics in `rules` are pure. Promises: every figure comes with the
number of items it stands on; a figure that the data cannot give is None, never a guess.
Never: decides about anybody's pay or standing.

Decisions
- 2026-11: agreement is read from the newest counted submissions of a job, at most 20,000, so that
  a page costs the same whatever the job's size; the task type says which units can be compared.
"""
