"""The parts of the stack: which programs run, after which, and when each is ready."""

import http.client
import json
import os
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from marketplace.embedded import Prepared, Program
from marketplace.sandbox import addresses as sandbox_addresses

ANSWER_SECONDS = 1.0
# Settings that only one program needs; the others do not get to know them.
OF_MIGRATE = "OWNER_DATABASE_URL"
OF_SANDBOX = "SANDBOX_DATABASE_URL"

# Parts stop wave by wave, the highest first: visitors, then background work, then what both use.
WAVE_SERVERS, WAVE_SANDBOX, WAVE_BACKGROUND, WAVE_WEB = range(4)


def at_once() -> bool:
    """The readiness of a part that nobody waits for."""
    return True


@dataclass(frozen=True)
class Part:
    """A program of the stack. `once`: it runs to its end, and must succeed, instead of staying."""

    program: Program
    after: tuple[str, ...] = ()
    ready: Callable[[], bool] = at_once
    once: bool = False
    wave: int = WAVE_BACKGROUND

    @property
    def name(self) -> str:
        """The program's name, which is unique in a stack."""
        return self.program.name


@dataclass(frozen=True)
class Addresses:
    """Where people reach the stack. `host` is what the servers bind."""

    host: str
    port: int
    sandbox_port: int

    @property
    def web(self) -> str:
        """The pages' address for a browser."""
        return f"http://{_spoken(self.host)}:{self.port}"

    @property
    def sandbox(self) -> str:
        """The sandbox's address for a browser."""
        return f"http://{_spoken(self.host)}:{self.sandbox_port}"

    @property
    def reachable(self) -> str:
        """The host to connect to from this machine."""
        return "127.0.0.1" if self.host in {"0.0.0.0", "localhost"} else self.host  # noqa: S104


def _spoken(host: str) -> str:
    return "localhost" if host in {"127.0.0.1", "0.0.0.0"} else host  # noqa: S104  Compared only.


# Who issues the demonstration's invoices; no such company and no such accounts exist.
SELLER = {
    "SELLER_NAME": "Marketplace Demonstration Ltd",
    "SELLER_ADDRESS": "1 Sandbox Quay;Dublin 2;Ireland",
    "SELLER_COUNTRY": "IE",
    "SELLER_TAX_ID": "IE0000000DM",
    "BANK_ACCOUNTS": json.dumps(
        {
            "EUR": {
                "Account holder": "Marketplace Demonstration Ltd",
                "IBAN": "IE00 DEMO 0000 0000 0000 01",
                "BIC": "DEMOIE2D",
                "Bank": "Demonstration Bank, Dublin",
            },
            "USD": {
                "Account holder": "Marketplace Demonstration Ltd",
                "Routing number (ACH and wire)": "000000000",
                "Account number": "000000000002",
                "Bank": "Demonstration Bank, New York",
            },
        }
    ),
}


def settings_for(prepared: Prepared, addresses: Addresses) -> dict[str, str]:
    """The settings of the whole stack; what a person set for mail or limits stays."""
    chosen = {
        "PUBLIC_URL": addresses.web,
        "MAILBOX_DIR": str(prepared.data_dir / "mailbox"),
        "PUBLIC_DEVELOPMENT": "1",
    } | SELLER
    given = {name: os.environ[name] for name in chosen if os.environ.get(name)}
    return (
        chosen
        | given
        | prepared.environment
        | {
            "STRIPE_API_BASE": f"http://{addresses.reachable}:{addresses.sandbox_port}",
            "NPPES_API_BASE": f"http://{addresses.reachable}:{addresses.sandbox_port}"
            f"{sandbox_addresses.NPPES}",
            "GITHUB_CLIENT_ID": sandbox_addresses.GITHUB_CLIENT_ID,
            "GITHUB_CLIENT_SECRET": sandbox_addresses.GITHUB_CLIENT_SECRET,
            # Browsers go there as well, so it is the address that they know.
            "GITHUB_OAUTH_BASE": f"{addresses.sandbox}{sandbox_addresses.GITHUB}",
            "GITHUB_API_BASE": f"http://{addresses.reachable}:{addresses.sandbox_port}"
            f"{sandbox_addresses.GITHUB_API}",
            "MODEL_SANDBOX_BASE": f"http://{addresses.reachable}:{addresses.sandbox_port}"
            f"{sandbox_addresses.MODEL}",
            # People type this one into forms, so it is the address that they know.
            "WEBHOOK_SANDBOX_BASE": f"{addresses.sandbox}{sandbox_addresses.HOOKS}",
            "SANDBOX_HOST": addresses.host,
            "SANDBOX_PORT": str(addresses.sandbox_port),
            "SANDBOX_PUBLIC_URL": addresses.sandbox,
        }
    )


def parts_of(
    prepared: Prepared, settings: Mapping[str, str], addresses: Addresses, *, demo: bool
) -> list[Part]:
    """Every part, in an order in which none comes before one that it needs."""
    servers = [Part(program, ready=ready, wave=WAVE_SERVERS) for program, ready in prepared.servers]
    running = tuple(part.name for part in servers)
    ours = _Ours(settings, prepared.data_dir)
    sandbox = (addresses.reachable, addresses.sandbox_port)
    web = (addresses.reachable, addresses.port)
    web_command = ("web", "--host", addresses.host, "--port", str(addresses.port))
    parts = [
        *servers,
        # The first page waits for these two alone; the others leave them both cores.
        ours.part("migrate", ("migrate",), ("postgres",), once=True),
        ours.part("web", web_command, running, lambda: answers(*web, "/readyz"), WAVE_WEB),
        ours.part("sandbox", ("sandbox",), ("web",), lambda: listens(*sandbox), WAVE_SANDBOX),
        ours.part("worker", ("worker",), ("migrate", "web")),
        ours.part("relay", ("relay",), ("migrate", "web")),
    ]
    if demo:
        everything = tuple(part.name for part in parts)
        parts.append(ours.part("demo-world", ("demo-world",), everything, once=True))
    return parts


@dataclass(frozen=True)
class _Ours:
    """Makes parts of our own commands."""

    settings: Mapping[str, str]
    data_dir: Path

    def part(
        self,
        name: str,
        command: tuple[str, ...],
        after: tuple[str, ...],
        ready: Callable[[], bool] = at_once,
        wave: int = WAVE_BACKGROUND,
        *,
        once: bool = False,
    ) -> Part:
        """A command of ours as a part, with the settings that it may know."""
        own = (sys.executable, "-m", "marketplace.cli", "--data-dir", str(self.data_dir), *command)
        hidden = {OF_MIGRATE, OF_SANDBOX} - {
            {"migrate": OF_MIGRATE, "sandbox": OF_SANDBOX}.get(name)
        }
        known = {key: value for key, value in self.settings.items() if key not in hidden}
        environment = dict(os.environ) | known | {"PYTHONUNBUFFERED": "1"}
        # Five programs import the same modules; without bytecode each start compiles them anew.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        return Part(Program(name, own, environment), after, ready, once, wave)


def listens(host: str, port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        socket.create_connection((host, port), ANSWER_SECONDS).close()
    except OSError:
        return False
    return True


def answers(host: str, port: int, path: str) -> bool:
    """Whether a GET of `path` there is answered with 200."""
    asking = http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)
    try:
        asking.request("GET", path)
        return asking.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asking.close()
