"""PostgreSQL and Redis as our own children: durable, unprivileged, and gone with their parent."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from redis import Redis

from marketplace.embedded import CannotStart, Lock, Stack
from marketplace.embedded.place import Place
from tests.embedded.places import forget_place, living, plain


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A data folder below one that others cannot enter."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    yield closed / "data"
    forget_place(closed / "data")


@pytest.fixture
def stack(data_dir: Path) -> Iterator[Stack]:
    """A durable stack on `data_dir`."""
    with Lock(data_dir), Stack.start(data_dir) as running:
        yield running


def test_no_folder_above_the_data_changes_its_mode(data_dir: Path) -> None:
    parents = list(data_dir.parents)
    before = [stat.S_IMODE(path.stat().st_mode) for path in parents]

    with Lock(data_dir), Stack.start(data_dir):
        during = [stat.S_IMODE(path.stat().st_mode) for path in parents]

    assert before == during
    assert stat.S_IMODE(data_dir.parent.stat().st_mode) == 0o700


def test_data_survives_a_restart(data_dir: Path) -> None:
    with Lock(data_dir), Stack.start(data_dir) as first:
        with psycopg.connect(plain(first.environment["OWNER_DATABASE_URL"])) as owner:
            owner.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        with Redis.from_url(first.environment["REDIS_URL"]) as redis:
            redis.set("kept", "42")

    began = time.monotonic()
    with Lock(data_dir), Stack.start(data_dir) as second:
        seconds = time.monotonic() - began
        with psycopg.connect(plain(second.environment["OWNER_DATABASE_URL"])) as owner:
            row = owner.execute("SELECT answer FROM kept").fetchone()
        with Redis.from_url(second.environment["REDIS_URL"]) as redis:
            value = redis.get("kept")

    assert ((42,), b"42") == (row, value)
    assert first.environment == second.environment
    assert seconds < 2


def test_the_servers_do_not_run_as_root(stack: Stack) -> None:
    owners = {Path(f"/proc/{pid}").stat().st_uid for pid in stack.pids.values()}

    assert 0 not in owners


def test_the_application_is_no_superuser_and_makes_no_tables(stack: Stack) -> None:
    with psycopg.connect(plain(stack.environment["DATABASE_URL"])) as app:
        superuser = app.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        assert (False,) == superuser.fetchone()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("CREATE TABLE mine (id int)")


def test_acknowledged_writes_are_on_the_disk(stack: Stack) -> None:
    with psycopg.connect(plain(stack.environment["DATABASE_URL"])) as app:
        settings = [
            app.execute(f"SHOW {name}").fetchone()
            for name in ("fsync", "synchronous_commit", "full_page_writes")
        ]

    assert [("on",)] * 3 == settings


def test_a_wrong_password_is_refused_on_the_socket_too(stack: Stack) -> None:
    password = stack.prepared.keys.password("app")
    wrong = plain(stack.environment["DATABASE_URL"]).replace(password, "wrong")

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_the_sandbox_cannot_see_the_product(stack: Stack) -> None:
    sandbox = plain(stack.environment["SANDBOX_DATABASE_URL"])

    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(sandbox, dbname="marketplace")


def test_stopping_leaves_no_server_behind(data_dir: Path) -> None:
    with Lock(data_dir), Stack.start(data_dir) as stack:
        pids = list(stack.pids.values())

    assert [] == living(pids)


STARTS_AND_WAITS = """
import sys, time
from pathlib import Path
from marketplace.embedded import Lock, Stack
folder = Path(sys.argv[1])
with Lock(folder), Stack.start(folder) as stack:
    print(*stack.pids.values(), flush=True)
    time.sleep(60)
"""


def test_servers_end_when_their_parent_is_killed_and_the_next_start_works(data_dir: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTS_AND_WAITS, str(data_dir)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        parent.send_signal(signal.SIGKILL)

    with Lock(data_dir), Stack.start(data_dir) as stack:
        still = living(pids)
        with psycopg.connect(plain(stack.environment["DATABASE_URL"])) as app:
            row = app.execute("SELECT 1").fetchone()

    assert len(pids) == 2
    assert ([], (1,)) == (still, row)


def test_a_stale_pid_file_that_names_a_living_stranger_is_no_obstacle(data_dir: Path) -> None:
    with Lock(data_dir), Stack.start(data_dir) as stack:
        cluster = stack.prepared.postgres.cluster
    lines = [str(os.getpid()), str(cluster), "0", "1", "", "", "", "ready"]
    (cluster / "postmaster.pid").write_text("\n".join(lines), encoding="utf-8")

    with Lock(data_dir), Stack.start(data_dir) as again:
        assert again.prepared.postgres.ready()


def ask(data_dir: Path, question: LiteralString) -> list[tuple[object, ...]]:
    """Start a stack, ask its database as the owner, stop it."""
    with Lock(data_dir), Stack.start(data_dir) as stack:
        owner = psycopg.connect(plain(stack.environment["OWNER_DATABASE_URL"]))
        with owner:
            answer = owner.execute(question)
            return answer.fetchall() if answer.description else []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root keeps data outside the data folder")
def test_a_data_folder_made_anew_does_not_meet_the_old_database(data_dir: Path) -> None:
    ask(data_dir, "CREATE TABLE old (id int)")
    data_dir.rename(data_dir.with_name("moved"))

    assert [(None,)] == ask(data_dir, "SELECT to_regclass('old')")


def test_two_stacks_cannot_share_a_folder(data_dir: Path) -> None:
    with Lock(data_dir), pytest.raises(CannotStart, match="already runs"):
        Lock(data_dir)
    assert Lock.is_free(data_dir)


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    with pytest.raises(CannotStart, match="cannot be written"):
        Lock(file / "data")


def test_paths_too_long_for_a_socket_fall_back_to_tcp(tmp_path: Path) -> None:
    assert Place(tmp_path / ("x" * 100), None, None).sockets is None
    assert Place(Path("/short"), None, None).sockets == Path("/short/sockets")
