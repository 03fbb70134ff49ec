"""Specialists: who they are to a lab, and which of their claims about themselves are true.

Owns: profiles, credential claims with their lifecycle, verification runs with evidence, cases;
identity documents that were shown and accounts that were connected, once a person.
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
- 2026-11: verifiers stand behind one protocol (`gateway.Verifier`), by key; the catalogue says
  which look at a type. They are asked in three phases (read, ask, record), safe to be killed at
  each; an answer about a name that has changed meanwhile is not kept, and is asked for again.
- 2026-11: `record_verdict` alone derives a level, from the last word of each verifier, and takes
  the step that follows, except for a person's verdict: the verb that they called takes that one.
  A person who looked after a source began to say no outweighs it; a published list is cleared in
  its own way.
- 2026-11: what NPPES says of names is the provider's own word: level 2 and no more. The name that
  it lists is kept encrypted beside the evidence, its answer as a SHA-256, its address without the
  question. An error in a 200, another shape or another type is `unavailable`, never "not found".
- 2026-11: of an identity document only how it compared is kept, with a keyed hash over the name
  and birth date that it was compared with: when these change, it no longer counts. Stripe forgets
  the document afterwards, and one that was left open after a month.
- 2026-11: GitHub is asked without a scope, by state and PKCE; the token lives for two questions.
  Its numbers are signals and raise no level; control of the named account does.
"""
