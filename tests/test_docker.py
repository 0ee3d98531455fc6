"""The image and the compose file, as far as they can be checked without an engine: names, paths, options, variables."""

import importlib.util
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kgpipe import config
from kgpipe.graph import server

ROOT = Path(__file__).parents[1]
DOCKER = ROOT / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]


def secrets_module():
    spec = importlib.util.spec_from_file_location("make_secrets", DOCKER / "make_secrets.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def commands(service):
    """The command lines of a service, also those of its health check and inside `sh -c`."""
    lines = []
    for words in (service.get("command", []), service.get("healthcheck", {}).get("test", [])):
        words = [word for word in words if word not in ("CMD", "exec")]
        if words[:1] == ["CMD-SHELL"] or words[:1] == ["sh"]:
            lines += [shlex.split(line.removeprefix("exec ")) for line in words[-1].splitlines()]
        elif words:
            lines.append(words)
    return lines


def test_the_compose_files_are_valid():
    files = [DOCKER / "compose.yaml", DOCKER / "compose.cuda.yaml"]
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", *files]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    others = yaml.safe_load((DOCKER / "compose.cuda.yaml").read_text())
    assert set(others["services"]) < set(SERVICES)


def test_the_dockerfile_is_clean_and_its_paths_exist():
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, DOCKER / "Dockerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    sent = [line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"]
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.M):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists() and source in sent, source
    stages = re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, re.M)
    assert set(re.findall(r"--from=(\S+)", DOCKERFILE)) < set(stages)
    assert {"cpu", "cuda"} < set(stages)
    assert "\nUSER 10001\n" in DOCKERFILE.split(" AS runtime")[1]


def test_versions_are_pinned():
    bases = [base for base in re.findall(r"^FROM (\S+)", DOCKERFILE, re.M) if ":" in base]
    images = [s["image"] for s in SERVICES.values() if not s["image"].startswith("kgpipe:")]
    assert bases and images
    for image in [*bases, *images]:
        assert re.search(r":\d+\.\d+", image), image
    installs = [line for line in DOCKERFILE.splitlines() if "uv pip install" in line and "--no-deps" not in line]
    assert len(installs) == 2 and all(line.endswith("--extra compose -c constraints.txt") for line in installs)
    pinned = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split() if "==" in line)
    assert pinned["apache-airflow"].startswith("3.3.") and "apache-airflow-providers-postgres" in pinned


def test_what_services_name_exists():
    mounted = {v.split(":")[0] for s in SERVICES.values() for v in s.get("volumes", []) if not v.startswith("$")}
    for path in mounted:
        assert (DOCKER / path).is_file() if path.startswith("./") else path in COMPOSE["volumes"]
    assert (DOCKER / "../examples/corpus").is_dir()  # what DOCUMENTS is when nobody sets it
    made = secrets_module().made()
    declared = {name: (DOCKER / one["file"]).relative_to(DOCKER) for name, one in COMPOSE["secrets"].items()}
    assert declared == {name: Path("secrets") / name for name in made}
    for name, service in SERVICES.items():
        assert set(service.get("depends_on", {})) <= set(SERVICES)
        for other, how in service.get("depends_on", {}).items():
            assert how["condition"] != "service_healthy" or SERVICES[other]["healthcheck"], (name, other)
        mentioned = set(re.findall(r"/run/secrets/(\w+)", json.dumps(service)))
        assert mentioned <= set(service.get("secrets", [])) <= set(declared), name
        assert service.get("user") or service["image"].startswith("kgpipe:"), f"{name} runs as root"
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:")
    hosts = set(re.findall(r"(?:bolt|http)://([a-z][a-z0-9-]*):", json.dumps(COMPOSE)))
    assert hosts <= set(SERVICES)
    assert made["airflow_database"].split("@")[1].split(":")[0] in SERVICES


def test_the_settings_that_services_set_are_known():
    named = set()
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if name == "neo4j" and variable.startswith("NEO4J_") and variable != "NEO4J_AUTH_FILE":
                key = variable.removeprefix("NEO4J_").replace("__", "\0").replace("_", ".").replace("\0", "_")
                assert f"{key}=" in Path(server.__file__).read_text(), f"{key} is no setting that our own server takes"
            elif variable.startswith(("NEO4J", "KGPIPE")) and name != "neo4j":
                assert variable in config.ENVIRONMENT | config.SECRET_FILES
            named |= set(re.findall(r"\$\{(\w+)", str(value)))
    named |= set(re.findall(r"(?<!\$)\$\{(\w+)", (DOCKER / "compose.yaml").read_text()))
    told = (ROOT / "docs" / "docker.md").read_text()
    assert [name for name in sorted(named - {"HOSTNAME"}) if f"`{name}`" not in told] == []
    (dag,) = config.dags(DOCKER)
    assert (dag.folder, dag.workspace.rpartition("/")[0]) == ("/srv/in", "/srv/graphs")
    assert any(["airflow", "pools", "set", config.load(folder=DOCKER).pool] == line[:4] for line in commands(SERVICES["airflow-init"]))  # fmt: skip


@pytest.mark.airflow
def test_airflow_knows_the_commands_and_variables():
    pytest.importorskip("airflow", reason="the extra `airflow` is not installed")
    from airflow.cli.cli_parser import get_parser
    from airflow.configuration import conf

    sections = conf.configuration_description
    ran = []
    for service in SERVICES.values():
        for variable in service.get("environment", {}):
            if not variable.startswith("AIRFLOW__"):
                continue
            section, _, option = variable.removeprefix("AIRFLOW__").lower().partition("__")
            known = sections[section]["options"]
            assert option in known or known[option.removesuffix("_cmd")].get("sensitive"), variable
        for line in commands(service):
            if line[0] == "airflow":
                get_parser().parse_args(line[1:])
                ran.append(line[1])
    assert sorted(ran) == ["api-server", "dag-processor", "db", "jobs", "jobs", "jobs", "pools", "scheduler", "triggerer"]  # fmt: skip


def test_secrets_are_made_once(tmp_path):
    shutil.copy(DOCKER / "make_secrets.py", tmp_path)
    command = [sys.executable, tmp_path / "make_secrets.py"]
    subprocess.run(command, check=True, capture_output=True)
    folder = tmp_path / "secrets"
    assert folder.stat().st_mode & 0o777 == 0o700
    password = (folder / "neo4j_password").read_text()
    assert (folder / "neo4j_auth").read_text() == f"neo4j/{password}"
    assert (folder / "postgres_password").read_text() in (folder / "airflow_database").read_text()
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 1 and "holds secrets already" in again.stderr
    assert (folder / "neo4j_password").read_text() == password
