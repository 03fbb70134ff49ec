"""Quality: how far the judgements of a job can be trusted.

Owns the table skill; the statistics in `rules` are pure. Promises: every figure comes with the
number of items it stands on; a figure that the data cannot give is None, never a guess.
Never: decides about anybody's pay or standing.

Decisions
- 2026-11: skill is a Beta posterior of a person in a domain and a task type, from a flat prior;
  what counts is its lower 90 % bound. Verdicts of people and gold teach it, acceptance without a
  look does not; accepted after rework counts half, rework by itself nothing.
- 2026-11: agreement is read from the newest counted submissions of a job, at most 20,000, so that
  a page costs the same whatever the job's size; the task type says which units can be compared.
- 2026-11: an attempt's score is the mean agreement with gold over all items of its form, cut after
  three decimals and never rounded up; an item that was left open has 0, which is said before the
  start. Each answer also teaches the person's skill.
- 2026-11: an item is flagged for retirement where it does not foretell later acceptance, goes
  against the rest, or tells nobody apart; only where the interval, not the estimate alone, says so.
  A person retires it; results that it was part of stand.
"""
