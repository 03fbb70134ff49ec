"""The files that describe a deployment agree with the product and with each other."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

import marketplace
from marketplace.cli.frame import COMMANDS
from marketplace.settings import TABLE
from marketplace.web.api import items

DEPLOY = Path(marketplace.__file__).parents[1] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
OURS = ("migrate", "web", "worker", "relay")
NGINX = DEPLOY / "nginx" / "marketplace.conf.template"
MEBIBYTE = 1024 * 1024


def documents() -> Iterator[dict[str, Any]]:
    """Every Kubernetes object."""
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        yield from yaml.safe_load_all(path.read_text(encoding="utf-8"))


def pods() -> dict[str, dict[str, Any]]:
    """The pod of each object that makes pods, by the object's name."""
    found = {}
    for one in documents():
        spec = one.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            found[one["metadata"]["name"]] = spec["template"]["spec"]
    return found


def written(path: Path) -> dict[str, str | None]:
    """The variables of an example file; a commented one, too, with what it says."""
    lines = re.findall(r"^(#?)([A-Z0-9_]+)=(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: value for _, name, value in lines}


def test_the_example_names_every_setting() -> None:
    names = {setting.name for setting in TABLE}

    assert set() == names - set(written(DEPLOY / "env.example"))


@pytest.mark.parametrize("setting", [one for one in TABLE if one.default], ids=lambda one: one.name)
def test_a_commented_line_shows_the_default(setting: Any) -> None:
    text = (DEPLOY / "env.example").read_text(encoding="utf-8")
    commented = re.findall(rf"^#{setting.name}=(.*)$", text, re.MULTILINE)

    assert not commented or setting.default in commented


def test_compose_passes_every_setting_on() -> None:
    owner = "OWNER_DATABASE_URL"
    names = {setting.name for setting in TABLE} - {owner}

    assert set() == names - set(COMPOSE["x-settings"])
    assert ["migrate"] == [one for one in OURS if owner in COMPOSE["services"][one]["environment"]]


def test_compose_says_the_defaults_of_the_product() -> None:
    for setting in TABLE:
        said = str(COMPOSE["x-settings"].get(setting.name, ""))
        default = re.fullmatch(r"\$\{\w+:-([^}/]*)\}", said)
        if default:
            assert setting.default == default.group(1), setting.name


def test_only_the_proxy_is_reachable_from_outside() -> None:
    published = [name for name, one in COMPOSE["services"].items() if "ports" in one]
    inside_only = [
        name for name, one in COMPOSE["services"].items() if one.get("networks") == ["inside"]
    ]

    assert ["proxy"] == published
    assert {"postgres", "redis", "backup"} == set(inside_only)
    assert COMPOSE["networks"]["inside"]["internal"] is True


def test_the_proxy_is_believed_and_nobody_else_in_its_place() -> None:
    services = COMPOSE["services"]
    inside = COMPOSE["networks"]["inside"]["ipam"]["config"][0]["subnet"]

    assert {"inside"} == set(services["proxy"]["networks"]) & set(services["web"]["networks"])
    assert ip_network(inside) == ip_network(COMPOSE["x-settings"]["TRUSTED_PROXIES"])


def test_containers_run_without_rights() -> None:
    for name in OURS:
        one = COMPOSE["services"][name]
        assert ["ALL"] == one["cap_drop"], name
        assert one["read_only"] is True, name


def test_every_command_that_is_started_exists() -> None:
    units = "\n".join(path.read_text() for path in (DEPLOY / "systemd").glob("*.service"))
    started = set(re.findall(r"bin/marketplace ([\w-]+)", units))
    started |= {COMPOSE["services"][name].get("command", [0, "web"])[1] for name in OURS}
    started |= {one["containers"][0]["command"][1] for one in pods().values()}

    assert {"web", "worker", "relay", "migrate", "self-check"} == started
    assert set() == started - set(COMMANDS)


@pytest.mark.parametrize("name", sorted(pods()))
def test_a_pod_has_no_rights_and_no_endless_memory(name: str) -> None:
    pod = pods()[name]
    (container,) = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert ["ALL"] == container["securityContext"]["capabilities"]["drop"]
    assert "memory" in container["resources"]["limits"]


def test_only_the_migration_gets_the_owners_password() -> None:
    holders = [
        name
        for name, pod in pods().items()
        if {"secretRef": {"name": "marketplace-owner"}} in pod["containers"][0]["envFrom"]
    ]

    assert ["migrate"] == holders


def test_probes_ask_what_they_should() -> None:
    (web,) = pods()["web"]["containers"]

    assert "/healthz" == web["livenessProbe"]["httpGet"]["path"]
    assert "/readyz" == web["readinessProbe"]["httpGet"]["path"]


def test_the_proxy_lets_through_what_the_product_takes() -> None:
    sizes = [int(size) for size in re.findall(r"client_max_body_size (\d+)m;", NGINX.read_text())]
    upload_max = next(one.default for one in TABLE if one.name == "UPLOAD_MAX_BYTES")
    pages, lines, files = (size * MEBIBYTE for size in sizes)

    assert pages > 2 * MEBIBYTE
    assert lines > items.REQUEST_MAX_BYTES
    assert files > int(upload_max or 0)


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not on this machine")
def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    key, certificate = tmp_path / "privkey.pem", tmp_path / "fullchain.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=m.test",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    site = NGINX.read_text().replace("/etc/nginx/tls", str(tmp_path))
    site = site.replace("${SERVER_NAME}", "m.test").replace("${WEB_ADDRESS}", "127.0.0.1:8000")
    site = re.sub(r"listen (\[::\]:)?80;", "listen 127.0.0.1:8080;", site, count=1)
    site = re.sub(r"listen 443 ssl", "listen 127.0.0.1:8443 ssl", site, count=1)
    site = re.sub(r"\n *listen (\[::\]:)[^;]*;", "", site)
    whole = tmp_path / "nginx.conf"
    temporary = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole.write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/error.log;\n"
        f"events {{}}\nhttp {{ {temporary} {site} }}\n"
    )

    tried = subprocess.run(
        ["nginx", "-t", "-c", whole], capture_output=True, text=True, check=False
    )

    assert 0 == tried.returncode, tried.stderr


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not on this machine")
def test_shellcheck_finds_nothing() -> None:
    scripts = sorted(DEPLOY.rglob("*.sh"))

    found = subprocess.run(["shellcheck", *scripts], capture_output=True, text=True, check=False)

    assert "" == found.stdout
    assert len(scripts) >= 3
