"""Checking an export against the proof that it carries: offline, without an account.

Imports the standard library only, `cryptography` for signatures, and pyarrow where a file is
Parquet; nothing of the server, which takes the hashes from here (`seal`).

What a proof shows: that each line is the one that was written (its digests), that the job's chain
of events is whole up to the one that the export was asked for at (its links), that each judgement
of the envelope is what its author handed in (its commitments), and that the platform signed all of
this. Without a key from elsewhere the last says only that file and proof belong together.
"""

from marketplace.verify.check import verify as verify
from marketplace.verify.report import CannotCheck as CannotCheck
from marketplace.verify.report import Finding as Finding
from marketplace.verify.report import Kind as Kind
from marketplace.verify.report import Report as Report
