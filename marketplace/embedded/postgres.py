"""PostgreSQL: a cluster made once, its roles and databases, and the command that serves it."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT
from urllib.parse import quote

from marketplace.embedded.faults import CannotStart
from marketplace.embedded.keys import Keys
from marketplace.embedded.place import Place
from marketplace.embedded.program import Program, run

SUPERUSER = "postgres"
PRODUCT = "marketplace"
SANDBOX = "sandbox"

# `owner` runs migrations, which grant to `app` what it may do, so that a REVOKE means something.
# No extension and no superuser is ever needed after this.
CLUSTER_SQL = f"""
CREATE ROLE owner LOGIN PASSWORD '{{owner}}';
CREATE ROLE app LOGIN PASSWORD '{{app}}';
CREATE ROLE {SANDBOX} LOGIN PASSWORD '{{sandbox}}';
CREATE DATABASE {PRODUCT} OWNER owner;
CREATE DATABASE {SANDBOX} OWNER {SANDBOX};
REVOKE ALL ON DATABASE {PRODUCT} FROM PUBLIC;
REVOKE ALL ON DATABASE {SANDBOX} FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE {PRODUCT} TO app;
ALTER DATABASE {PRODUCT} SET timezone TO 'UTC';
ALTER DATABASE {SANDBOX} SET timezone TO 'UTC';
"""

# Sized for a laptop: the whole idle stack stays below 600 MB.
SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "io_method": "sync",
    "max_wal_size": "512MB",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "log_checkpoints": "off",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
}
# For tests only: a power cut may lose everything.
CARELESS_SETTINGS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


@dataclass(frozen=True)
class Postgres:
    """One cluster in `place`, served on `port` of the loopback address."""

    place: Place
    keys: Keys
    binaries: Path
    port: int
    durable: bool = True

    @property
    def cluster(self) -> Path:
        """The folder of the cluster's files."""
        return self.place.servers / "postgres"

    def prepare(self) -> None:
        """Make the cluster when there is none, and sweep up what a killed server left.

        Call it only while no server of this cluster runs.
        """
        if not self.cluster.exists():
            self._make_cluster()
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)
        if self.place.sockets:
            shutil.rmtree(self.place.sockets, ignore_errors=True)
            self.place.folder(self.place.sockets.name)

    def program(self) -> Program:
        """The server as a child; an interrupt is PostgreSQL's fast and clean shutdown."""
        sockets = self.place.sockets
        settings = SERVER_SETTINGS | ({} if self.durable else CARELESS_SETTINGS)
        settings["unix_socket_directories"] = str(sockets) if sockets else ""
        command = [str(self.binaries / "postgres"), "-D", str(self.cluster), "-p", str(self.port)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        return self._program("postgres", command)

    def ready(self) -> bool:
        """Whether the server accepts connections, by the status line that it writes itself."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    def url(self, role: str, database: str) -> str:
        """The address for SQLAlchemy and psycopg; over the Unix socket where there is one."""
        login = f"{role}:{self.keys.password(role)}"
        if self.place.sockets:
            host = quote(str(self.place.sockets), safe="")
            return f"postgresql+psycopg://{login}@/{database}?host={host}&port={self.port}"
        return f"postgresql+psycopg://{login}@127.0.0.1:{self.port}/{database}"

    def _make_cluster(self) -> None:
        """Initialise beside, fill in single-user mode, and rename: whole or not at all."""
        draft = self.place.servers / "postgres.new"
        shutil.rmtree(draft, ignore_errors=True)
        password = self.place.servers / "postgres.password"
        password.write_text(self.keys.password(SUPERUSER), encoding="utf-8")
        password.chmod(0o600)
        self.place.give(password)
        try:
            self._initialise(draft, password)
        finally:
            password.unlink()
        roles = {role: self.keys.password(role) for role in ("owner", "app", "sandbox")}
        self._fill(draft, "postgres", CLUSTER_SQL.format(**roles))
        draft.rename(self.cluster)

    def _initialise(self, folder: Path, password: Path) -> None:
        command = [
            str(self.binaries / "initdb"), "--pgdata", str(folder), "--username", SUPERUSER,
            "--pwfile", str(password), "--auth", "scram-sha-256", "--encoding", "UTF8",
            "--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8",
            "--no-instructions", "--no-sync",
        ]  # fmt: skip
        ended = run(self._program("initdb", command))
        if ended.returncode:
            raise CannotStart(f"PostgreSQL could not make its files: {_last_line(ended)}")

    def _fill(self, folder: Path, database: str, statements: str) -> None:
        """Run statements, one a line, without a server; it says its errors but does not exit."""
        command = [str(self.binaries / "postgres"), "--single", "-D", str(folder), database]
        ended = run(self._program("postgres --single", command), text=statements.lstrip())
        if ended.returncode or "ERROR:" in ended.stdout or "FATAL:" in ended.stdout:
            raise CannotStart(f"PostgreSQL could not make its databases: {_last_line(ended)}")

    def _program(self, name: str, command: list[str]) -> Program:
        return Program(
            name=name,
            command=tuple(command),
            environment={"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"},
            account=self.place.account,
            folder=self.place.servers,
            stop_signal=SIGINT,
            stop_seconds=20,
        )


def _last_line(ended: "subprocess.CompletedProcess[str]") -> str:
    """The line that tells most: the first error, else the last line."""
    lines = [line for line in ended.stdout.splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR:" in line or "FATAL:" in line or "error:" in line]
    return (errors or lines[-1:] or [f"exit {ended.returncode}"])[0]
