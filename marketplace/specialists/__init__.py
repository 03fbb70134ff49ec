"""Specialists: who they are to a lab, and which of their claims about themselves are true.

Owns: profiles, credential claims with their lifecycle, verification runs with evidence, cases.
Promises: three things are never merged: that an identifier is well formed, that it belongs to this
person, and that the licence is active today; a level says how much of that is shown. A run is
never changed. `unavailable` never changes a state. The same identifier on a second account is
stored as `blocked` with a case. Nobody decides on their own credential. A lab learns attested
claims only, never an identifier or a document.
Never: decides who may work on what (routing does), or keeps names (identity does).

Decisions
- 2026-07: professions, credential types and formats are data in `rules`; adding one is a line.
- 2026-07: a malformed identifier is refused at the form, not stored as a failed claim.
- 2026-07: runs are append-only and hold nothing personal; notes and links stand in evidence rows,
  encrypted, which erasure may empty.
- 2026-07: every change of state and level leaves a row, so that one can ask what held on a day.
- 2026-11: an attempt at a qualification is a row with its form, marks and expiry; a person meets a
  form once in a lifetime, by a unique index, and has one live attempt, by another. A pass of the
  platform's own may be granted as a credential; a lab's opens that lab's jobs and nothing else.
"""
