"""Recorded runs of agents, read into items of `trajectory`.

Owns: one reader a format, `rows(stream, *, name="")`, which gives the lines that an NDJSON file
of items would have. Promises: pure and streaming, so memory is bounded by one run; the same run
gives the same external id and the same ids of steps, whatever stands around it in the file; what
cannot be read is a row with a fault that says why, and reading goes on.
Never: decides whether an item is legal; that is the check of the type. What a format says about
right and wrong (a reward, a human label) goes to `metadata`, which specialists are not shown.
"""

from __future__ import annotations
