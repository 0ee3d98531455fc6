"""The commands that the README shows do what it says, in its order, on the sample corpus."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_commands_of_the_readme_run(tmp_path, neo4j_jars):
    (script,) = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euxc", script], cwd=tmp_path, env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    subprocess.run([Path(sys.executable).parent / "kgpipe", "neo4j", "stop"], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "New York City" in done.stdout
