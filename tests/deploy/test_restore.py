"""A drill: roles, migration, backup and restore by the scripts that an operator runs."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

import marketplace
from marketplace.cli.migrate import newest_revision, upgrade
from marketplace.embedded import Stack
from marketplace.embedded.binaries import postgres_binaries

DEPLOY = Path(marketplace.__file__).parents[1] / "deploy"
OWNER, APP = "drill_owner", "drill_app"
PASSWORDS = {"OWNER_PASSWORD": "owner of the drill's", "APP_PASSWORD": "app'lication \\ of it"}


@dataclass(frozen=True)
class Server:
    """The test server as an operator meets it: by PGHOST, PGPORT and the client programs."""

    stack: Stack

    @property
    def environment(self) -> dict[str, str]:
        prepared = self.stack.prepared
        place = prepared.postgres.place.sockets
        return {
            "PATH": f"{postgres_binaries(None)}:{os.environ['PATH']}",
            "PGHOST": str(place) if place else "127.0.0.1",
            "PGPORT": str(prepared.postgres.port),
        }

    def address(self, role: str, database: str) -> str:
        password = PASSWORDS["OWNER_PASSWORD" if role == OWNER else "APP_PASSWORD"]
        return psycopg.conninfo.make_conninfo(
            dbname=database,
            user=role,
            password=password,
            host=self.environment["PGHOST"],
            port=self.environment["PGPORT"],
        )

    def make_database(self, name: str) -> None:
        own = {
            "PGPASSWORD": self.stack.prepared.keys.password("postgres"),
            "MARKETPLACE_DATABASE": name,
            "MARKETPLACE_OWNER": OWNER,
            "MARKETPLACE_APP": APP,
        }
        self.run("postgres/roles.sh", own | PASSWORDS)

    def run(
        self, script: str, environment: dict[str, str], *arguments: str, good: bool = True
    ) -> subprocess.CompletedProcess[str]:
        ended = subprocess.run(
            [DEPLOY / script, *arguments],
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert good is (ended.returncode == 0), ended.stderr
        return ended


@pytest.fixture(scope="module")
def server(stack: Stack) -> Server:
    return Server(stack)


def url_of(server: Server, role: str, database: str) -> str:
    """The address as a URL, as migrations and the scripts take it."""
    password = PASSWORDS["OWNER_PASSWORD" if role == OWNER else "APP_PASSWORD"]
    host, port = server.environment["PGHOST"], server.environment["PGPORT"]
    login = f"{role}:{quote(password, safe='')}"
    return f"postgresql+psycopg://{login}@/{database}?host={quote(host, safe='')}&port={port}"


def fill(server: Server, database: str) -> None:
    """Migrate a new database and let the product's role write a line of audit into it."""
    server.make_database(database)
    upgrade(url_of(server, OWNER, database), app_role=APP)
    with psycopg.connect(server.address(APP, database)) as connection:
        connection.execute(
            "INSERT INTO audit (id, at, verb, subject_id, facts)"
            " VALUES (gen_random_uuid(), now(), 'drilled', gen_random_uuid(), '{}')"
        )


def test_what_was_backed_up_comes_back_with_its_guards(server: Server, tmp_path: Path) -> None:
    fill(server, "drill")
    server.make_database("drilled")
    files, restored = tmp_path / "files", tmp_path / "restored"
    (files / "exports").mkdir(parents=True)
    (files / "exports" / "one.jsonl").write_text('{"choice": "a"}\n')
    where = {"BACKUP_DIR": str(tmp_path / "backups"), "STORAGE_URL": str(files)}

    made = server.run(
        "backup.sh", where | {"OWNER_DATABASE_URL": url_of(server, OWNER, "drill")}
    ).stdout.strip()
    into = {
        "OWNER_DATABASE_URL": url_of(server, OWNER, "drilled"),
        "STORAGE_URL": str(restored),
    }
    said = server.run("restore.sh", into, made).stdout

    assert f"Restored revision {newest_revision()}" in said
    assert '{"choice": "a"}\n' == (restored / "exports" / "one.jsonl").read_text()
    with psycopg.connect(server.address(APP, "drilled")) as connection:
        assert [("drilled",)] == connection.execute("SELECT verb FROM audit").fetchall()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("UPDATE audit SET verb = 'altered'")
    assert "restore into an empty one" in server.run("restore.sh", into, made, good=False).stderr


def test_an_altered_backup_is_refused(server: Server, tmp_path: Path) -> None:
    fill(server, "drill_altered")
    owner = {"OWNER_DATABASE_URL": url_of(server, OWNER, "drill_altered")}
    made = Path(server.run("backup.sh", owner | {"BACKUP_DIR": str(tmp_path)}).stdout.strip())
    with (made / "database.dump").open("ab") as dump:
        dump.write(b"more")

    refused = server.run("restore.sh", owner, str(made), good=False)

    assert "database.dump: FAILED" in refused.stdout + refused.stderr


def test_a_failed_backup_leaves_nothing_that_looks_whole(server: Server, tmp_path: Path) -> None:
    owner = {"OWNER_DATABASE_URL": url_of(server, OWNER, "there_is_none")}

    server.run("backup.sh", owner | {"BACKUP_DIR": str(tmp_path)}, good=False)

    assert [] == list(tmp_path.iterdir())
