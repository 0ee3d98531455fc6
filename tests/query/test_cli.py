"""`kgpipe ask` and `kgpipe show`: output for people and programs, exit codes, one line for what is wrong."""

import json

import pytest
from typer.testing import CliRunner

from kgpipe import cli, pipeline
from kgpipe.errors import InputError, WorkspaceError


@pytest.fixture
def run(store, neo4j, tmp_path, monkeypatch):
    """Runs the command line against the small graph."""
    monkeypatch.setenv("NEO4J_PASSWORD", neo4j.password)
    workspace = pipeline.Workspace(tmp_path / "workspace")
    pipeline.prepare(workspace, [], schema="computing")
    where = ["--workspace", str(workspace.path), "--neo4j", neo4j.uri]
    return lambda *arguments: CliRunner().invoke(cli.app, [*arguments, *where])


def test_ask_prints_answer_sentence_and_document(run):
    result = run("ask", "Who designed the Analytical Engine?")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "Charles Babbage.",
        "  (understood as: person: person designed Analytical Engine)",
        '  "Charles Babbage designed Analytical Engine."',
        "    Notes, file:///corpus/notes.txt [0:20]",
    ]
    assert "MATCH (n" in run("ask", "-v", "Who designed the Analytical Engine?").stdout


def test_ask_as_json(run):
    found = json.loads(run("ask", "How many machines did DEC make?", "--json").stdout)
    assert (found["answers"], found["columns"], found["source"]) == ([[2]], ["count"], "graph")


def test_questions_give_one_line_each_with_their_ids(run, tmp_path):
    file = tmp_path / "q.jsonl"
    rows = [{"id": 3, "question": "When was Fortran released?"}, {"id": "x", "question": "How tall was Alan Turing?"}]
    file.write_text("\n".join(json.dumps(row) for row in rows))
    found = [json.loads(line) for line in run("ask", "--questions", str(file), "--json").stdout.splitlines()]
    assert [(f["id"], f["answers"]) for f in found] == [(3, [["1957"]]), ("x", [])]
    assert {"id", "answers", "columns", "confidence", "cypher", "params", "facts", "evidence"} <= set(found[0])
    assert "The graph does not tell." in run("ask", "--questions", str(file)).stdout


def test_show(run):
    assert "Ken Thompson -[DESIGNED]-> Unix" in run("show", "Unix").stdout
    assert json.loads(run("show", "Unix", "--json").stdout)["name"] == "Unix"


def test_wrong_usage_and_wrong_input(run, tmp_path):
    assert run("ask").exit_code == 2
    assert run("ask", "Who?", "--questions", "q.jsonl").exit_code == 2
    assert isinstance(run("show", "Nobody At All").exception, InputError)
    assert isinstance(run("ask", "--questions", str(tmp_path / "none.jsonl")).exception, InputError)
    nowhere = CliRunner().invoke(cli.app, ["ask", "Who?", "--workspace", str(tmp_path / "nowhere")])
    assert isinstance(nowhere.exception, WorkspaceError)
    assert not (tmp_path / "nowhere").exists()
