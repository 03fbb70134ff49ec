"""Reconciliation: does the book say what Stripe and the banks say, and if not, what differs?

Owns what others told (Stripe's lines, balances and payouts, files of banks, reports), raw, hashed
and immutable; the comparison in stages S0 to S7; breaks with their workflow; the close of months.
It promises that a line is stored once, that a file is believed only when opening balance and lines
make the closing balance, that the tolerance is zero, that a match is exact and says its rule and
evidence, that what fits twice fits nothing, and that a difference is told in words that name the
money and its age. It posts only what a rule explains in full: Stripe's lines that nobody else
posts (`service/treasury`), payouts that arrived at the bank, money on its way to Stripe, and labs'
wires through billing. Every other difference is mended by people.

Decisions
- 2026-11: a statement counts when Stripe's balance was the same before and after its lines were
  listed; otherwise the lines are kept and the statement is taken again.
- 2026-11: each pull lists the last seven days again, so that a line that appeared late is found;
  payouts the last three weeks, since a bank may send one back after it was paid.
- 2026-11: only what differs leaves the database; what is found is tested by corrupting true
  histories in each of the twenty ways, alone and together.
- 2026-11: a pair that S1 matches has no row of its own: the posting carries the line's id, so the
  match is a fact of both tables and cannot grow stale. A bank's line has one, with its rule.
- 2026-11: a line that Stripe tells otherwise later stays as it was first told; the later telling
  is kept beside it and is a break, and the import goes on.
- 2026-11: days that two files of a bank state are proven equal, line by line, or the later file is
  refused whole. A gap between statements is a break and takes nothing back; the file that fills it
  may come later.
- 2026-11: a bank's line is the same line in another file, or another form, when the bank's own
  reference, day and amount are; banks that give no reference repeat their words.
- 2026-11: labs pay into the account of client funds; money from strangers on another account waits
  for a person, as does everything that names Stripe and is none of its payouts.
- 2026-11: a line that was seen less than half an hour ago is being posted and is no break; for a
  day it is late; then it is missing. A payout is missing at the bank only when a statement that
  should show it does not: never by a timer alone.
- 2026-11: a fee of a type that nobody knows is an unclassified expense and a break, until it is
  classified; types that are known and rare wait for a person without a posting.
- 2026-11: Stripe's itemised report is asked for by itself four times a day, for the last week and
  what no report covers; the key names the days, so the same days are one run, and its file is taken
  once. Days that we hold lines of and that reports do not reach keep a month from being closed.
- 2026-11: what names people on a bank's line is encrypted; words with a digit in them stand beside
  it in plain, since references are matched in sets.
- 2026-11: a break is named by kind, source and key. People's resolution holds while its difference
  stays the same; another difference is another break. Only evidence resolves without people, a
  wait that was in vain opens again, and a difference that moves voids what was proposed.
- 2026-11: cover is cash, our own earned fees among it, less what customers are owed. What Stripe
  keeps of payments makes it short until it is funded, so a shortfall is grave by amount and age;
  it moves with every payment, and an approved explanation holds until its day while what is missing
  is at most twice what was explained.
- 2026-11: who proposes does not approve (a constraint says so too), and what is approved is the
  hash of the whole proposal, evidence included, with a fresh code of the second factor, as for
  payouts: an adjustment moves money in the book at once.
- 2026-11: an adjustment never touches custody or trading accounts, which Stripe's word and the rule
  of conversions keep; it carries the line that it posts, so that the next comparison matches it.
- 2026-11: a close keeps as facts what may change later (checklist, breaks, approvals) and bounds
  the book by the head of its chain, so the pack is the same bytes whenever it is made again.
  People stand in it by their ids, since names may have to be forgotten.
"""
