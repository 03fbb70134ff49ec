"""Specialists: who they are to a lab, and which of their claims about themselves are true.

Owns: the catalogue of professions and credential types, profiles, credential claims with their
lifecycle, renewals, proposals, verification runs with evidence and its files, cases;
identity documents that were shown and accounts that were connected, once a person.
Promises: three things are never merged: that an identifier is well formed, that it belongs to this
person, and that the licence is active today; a level says how much of that is shown. A run is
never changed. `unavailable` never changes a state. The same identifier on a second account is
stored as `blocked` with a case. Nobody decides on their own credential. A lab learns attested
claims only, never an identifier or a document.
Never: decides who may work on what (routing does), or keeps names (identity does).

Decisions
- 2026-07: a malformed identifier is refused at the form, not stored as a failed claim.
- 2026-07: runs are append-only and hold nothing personal; notes and links stand in evidence rows,
  encrypted, which erasure may empty.
- 2026-07: every change of state and level leaves a row, so that one can ask what held on a day.
- 2026-11: the catalogue is rows, seeded by a migration and changed by operations; entries retire
  and are never deleted. Patterns are bounded, so that no text takes long to match. A process
  reads it again when its version, a fresh id, has changed.
- 2026-11: where a type takes two people, what grants or ends a credential is a proposal until
  another person confirms it; suspending and reopening act at once. Law is such a type.
- 2026-11: a renewal stands beside the claim, which holds until its own last day. A claim may be
  withdrawn before a decision, which frees its identifier; a blocked one never becomes revoked,
  since it would then hold an identifier that is another's.
- 2026-11: specialties that are earned after the decision are an amendment beside what stands,
  shown by the register or by people as a claim is; a change says which specialties it covered, so
  that labs read into earlier work only what was held then. Who is refused a renewal or an
  amendment reads why, and what to send.
- 2026-11: an empty answer of a register about what it listed before counts the third time, six and
  thirty hours after the first; until then it is `unavailable`. The queue to look at leaves out
  what only its holder can take on, by signing in at the account that they named.
- 2026-11: erasure ends a person's credentials, empties identifiers, their hashes, notes, addresses
  and papers, and destroys evidence files by their keys; states, levels and times stay.
- 2026-11: an evidence file is under a key of its own (AES-256-GCM) that stands encrypted in its
  row: rotating the column rotates the file, emptying it destroys the file. Its hash stays.
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
- 2026-11: without a person's look a credential covers the specialties that its source names, and
  no others: NPPES by its taxonomy codes, GitHub none. Whoever verifies
  strikes those that nothing shows. A person has at most twenty claims waiting.
- 2026-11: GitHub is asked without a scope, by state and PKCE; the token lives for two questions.
  Its numbers are signals and raise no level; control of the named account does.
- 2026-11: published lists (LEIE, OFAC) are kept as entries with the editions that began and ended
  them; people and entries are compared only where either is new. A hit is a risk for a person to
  review: a strong one (the NPI, or the name with a second factor) suspends for LEIE, a name alone
  only keeps below level 4. Another birth date rules a name out. A clearance lasts a year for its
  entry, unless more agrees; two people confirm. An edition that shrinks by a fifth is refused.
- 2026-11: a lab reads what was held at submission. At least five people of its crowd (who works
  for it here, and who holds a credential in these professions, without its own members) release
  the same record; else month, specialties, state and country are left out, in this order.
- 2026-11: reminders go out 60, 30 and 7 days before the last day, each once, by the holder's zone.
- 2026-11: onboarding is one row a step, saved or put off; what can be looked up (a claim, a level,
  a payee) decides whether a step is done, whatever was pressed. Saving a field of the profile on
  any page passes its step. Name, birth date and employers are for comparison and conflicts only.
"""
