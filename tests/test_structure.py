"""The house holds its shape: imports point one way, and the command line starts light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "kgpipe"
SPINE = {
    "records",
    "errors",
    "schema",
    "config",
    "names",
    "colours",
    "literals",
    "sentences",
    "stems",
    "workspace",
    "engine",
}
STAGES = ("corpus", "extract", "resolve", "graph", "query", "evaluate")
OUTSIDE_STAGES = {"pipeline", "cli", "__init__", "__main__"}
HEAVY = ("torch", "transformers", "spacy", "daft", "neo4j")


def imported(path: Path) -> set[str]:
    """Modules of kgpipe that a file imports anywhere, as dotted names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return {name for name in found if name.startswith("kgpipe.")}


def test_imports_point_one_way():
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        for name in imported(path):
            target = name.split(".")[1]
            if target in SPINE or target == parts[0]:
                continue
            if parts[0] in SPINE:
                wrong.append(f"the spine's {path.name} imports {name}")
            elif parts[0] == "models":
                wrong.append(f"models/{path.name} imports {name}")
            elif parts[0] in STAGES and target != "models":
                allowed = ("kgpipe.graph.store", "kgpipe.graph.introspect", "kgpipe.graph")
                from_graph = parts[0] == "query" and (name.startswith(allowed[:2]) or name == "kgpipe.graph")
                if not from_graph and parts[0] != "evaluate":
                    wrong.append(f"{'/'.join(parts)} imports {name}")
    assert wrong == []


@pytest.mark.parametrize("module", ["kgpipe", "kgpipe.cli", "kgpipe.pipeline"])
def test_importing_the_command_line_loads_nothing_heavy(module):
    code = f"import sys, {module}; print([m for m in {HEAVY!r} if m in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_only_config_reads_the_environment():
    readers = [
        path.name
        for path in PACKAGE.rglob("*.py")
        if path.name != "config.py" and ("os.environ.get" in (text := path.read_text()) or "os.getenv" in text)
    ]
    assert readers == []
