"""How migrations run: as the owner, one transaction each, never waiting long for a lock.

The configuration's attribute `url` names the database and `app_role` the unprivileged role that
the product connects as; `marketplace migrate` sets both. What a migration creates is readable and
writable by that role at once; a migration that wants less revokes it (`db.append_only`).
"""

from alembic import context
from sqlalchemy import Connection, NullPool, create_engine, text

from marketplace.db import driver_url, metadata

LOCK_TIMEOUT = "5s"
# Two deployments that start together migrate one after the other.
MIGRATION_LOCK = 4_021_977_316


def _prepare(connection: Connection, app_role: str) -> None:
    """Settings of this session, and what the unprivileged role may do with new tables."""
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
    for name, value in (("lock_timeout", LOCK_TIMEOUT), ("marketplace.app_role", app_role)):
        connection.execute(
            text("SELECT set_config(:name, :value, false)"), {"name": name, "value": value}
        )
    role = connection.dialect.identifier_preparer.quote(app_role)
    if app_role != connection.execute(text("SELECT current_user")).scalar_one():
        for rights in (
            f"SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
            f"USAGE, SELECT ON SEQUENCES TO {role}",
        ):
            connection.execute(text(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {rights}"))
    connection.commit()


def run() -> None:
    """Bring the database to the revision that was asked for."""
    attributes = context.config.attributes
    engine = create_engine(driver_url(attributes["url"]), poolclass=NullPool)
    with engine.connect() as connection:
        _prepare(connection, attributes["app_role"])
        context.configure(
            connection=connection,
            target_metadata=metadata,
            transaction_per_migration=True,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
