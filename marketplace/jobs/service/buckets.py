"""A lab's own bucket: the key that a job reads it with, and imports from it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from marketplace import audit, clock, settings
from marketplace.actor import Actor
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.jobs.models import JobBucket, JobImport
from marketplace.jobs.service.imports import Wish, start_import
from marketplace.jobs.service.states import locked
from marketplace.storage.bucket import checked_endpoint, parsed

KEY_MAX = 500


def set_bucket(
    session: Session,
    actor: Actor,
    job_id: UUID,
    *,
    endpoint: str,
    region: str,
    access_key_id: str,
    secret_access_key: str,
) -> JobBucket:
    """Keep how a job's bucket is read. Without a key the one that is kept stays, and without
    anything all of it.

    Faulty for an endpoint that the operator does not allow, or where a part of the key is missing.
    """
    actor.require(Permission.JOBS_EDIT)
    job = locked(session, actor, job_id)
    found = session.get(JobBucket, job.id)
    key = access_key_id.strip(), secret_access_key
    if found is not None and not any(key):
        key = found.access_key_id, found.secret_access_key
        region = region if endpoint or region else found.region
        endpoint = endpoint or found.endpoint
    where, region = (
        checked_endpoint(endpoint, settings.current().s3_source_endpoints),
        region.strip(),
    )
    _check(key, region)
    if found is None:
        found = JobBucket(job_id=job.id)
        session.add(found)
    elif (found.endpoint, found.region, found.access_key_id, found.secret_access_key) == (
        where,
        region,
        *key,
    ):
        return found
    found.endpoint, found.region = where, region
    found.access_key_id, found.secret_access_key = key
    found.set_by, found.set_at = actor.person(), clock.now()
    audit.record(session, actor, "set key to bucket", job.id)
    return found


def _check(key: tuple[str, str], region: str) -> None:
    faults = [
        Fault(place, "Write the key that may list and read the bucket.")
        for place, text in zip(("/access_key_id", "/secret_access_key"), key, strict=True)
        if not text or len(text) > KEY_MAX or not text.isprintable()
    ]
    if len(region) > 60 or not all(c.isalnum() or c == "-" for c in region):
        faults.append(Fault("/region", "Name a region such as eu-central-1, or leave it empty."))
    if faults:
        raise Faulty("The key to the bucket is not whole.", faults)


def start_bucket_import(
    session: Session, actor: Actor, job_id: UUID, source: str, *, wish: Wish, held: bool = False
) -> JobImport:
    """Read what lies at an address such as s3://bucket/folder/ with the key that is kept.

    One file becomes an import of that file; a prefix is read like an archive.
    """
    actor.require(Permission.JOBS_EDIT)
    _, key = parsed(source)
    job = locked(session, actor, job_id)  # Missing for others, who learn nothing of its key.
    if session.get(JobBucket, job.id) is None:
        words = "Give the key that may read this bucket."
        raise Faulty(words, [Fault("/access_key_id", words)])
    name = key.rstrip("/").rpartition("/")[2] or source.strip()
    return start_import(
        session,
        actor,
        job_id,
        "",
        filename=name,
        wish=wish,
        source_url=source.strip(),
        held=held,
    )
