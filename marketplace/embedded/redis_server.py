"""Redis: its configuration, the command that serves it, and whether it answers."""

import socket
from dataclasses import dataclass
from pathlib import Path

from marketplace.embedded.keys import Keys
from marketplace.embedded.place import Place
from marketplace.embedded.program import Program

CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir {folder}
daemonize no
save ""
appendonly {appendonly}
maxmemory-policy noeviction
databases 4
"""
ANSWER_SECONDS = 0.5


@dataclass(frozen=True)
class Redis:
    """One server on `port` of the loopback address. Nothing is lost for good when it is emptied."""

    place: Place
    keys: Keys
    binary: Path
    port: int
    durable: bool = True

    def prepare(self) -> None:
        """Write the configuration, which holds the password, for the server's account alone."""
        folder = self.place.folder("redis")
        text = CONFIGURATION.format(
            port=self.port,
            password=self.keys.password("redis"),
            folder=f'"{folder}"',
            appendonly="yes" if self.durable else "no",
        )
        file = folder / "redis.conf"
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")
        self.place.give(file)

    def program(self) -> Program:
        """The server as a child."""
        folder = self.place.folder("redis")
        return Program(
            name="redis",
            command=(str(self.binary), str(folder / "redis.conf")),
            environment={"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"},
            account=self.place.account,
            folder=folder,
            stop_seconds=10,
        )

    def ready(self) -> bool:
        """Whether it answers a PING with our password."""
        asked = f"AUTH {self.keys.password('redis')}\r\nPING\r\n".encode()
        try:
            with socket.create_connection(("127.0.0.1", self.port), ANSWER_SECONDS) as talk:
                talk.sendall(asked)
                answer = b""
                while answer.count(b"\r\n") < 2 and (more := talk.recv(256)):
                    answer += more
        except OSError:
            return False
        return answer == b"+OK\r\n+PONG\r\n"

    def url(self) -> str:
        """The address for Redis clients."""
        return f"redis://:{self.keys.password('redis')}@127.0.0.1:{self.port}/0"
