"""`kgpipe ask` and `kgpipe show`: output for people and programs, exit codes, one line for what is wrong."""

import json
import os
import pty
import select
import socket
import subprocess
import sys
import threading
import time

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
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def invoke(*arguments, input=None):
        return CliRunner().invoke(cli.app, [*arguments, *where], input=input)

    invoke.where = where
    return invoke


def test_ask_prints_answer_sentence_and_document(run):
    result = run("ask", "Who designed the Analytical Engine?")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "Charles Babbage.",
        "  (understood as: person designed computer Analytical Engine)",
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
    assert run("ask").exit_code == 2  # standard input is empty
    assert run("ask", "Who?", "--questions", "q.jsonl").exit_code == 2
    assert isinstance(run("show", "Nobody At All").exception, InputError)
    assert isinstance(run("ask", "--questions", str(tmp_path / "none.jsonl")).exception, InputError)
    nowhere = CliRunner().invoke(cli.app, ["ask", "Who?", "--workspace", str(tmp_path / "nowhere")])
    assert isinstance(nowhere.exception, WorkspaceError)
    assert not (tmp_path / "nowhere").exists()


CONVERSATION = """
Where was Ada Lovelace born?

and when did she die?
What about Alan Turing?
Who founded DEC?
where were they educated?
Did John Backus work for IBM?
who else?
"""


def test_lines_of_standard_input_are_a_conversation(run):
    found = run(
        "ask", input=CONVERSATION + "x" * 3000 + "\nHow tall is he?\n?\nWho designed Unix?\nexit\nWho designed C?\n"
    )
    assert found.exit_code == 0
    told = [line for line in found.stdout.splitlines() if line and not line.startswith((' "', "  ", "? xxx"))]
    read_as = [line.strip() for line in found.stdout.splitlines() if line.startswith("  (read as")]
    assert (
        read_as[:6]
        == [
            "(read as: When did Ada Lovelace die?)",
            "(read as: When did Alan Turing die?)",
            "(read as: Where was Kenneth Olsen educated?)",
            "(read as: Where was Harlan Anderson educated?)",
            "(read as: Who did work for IBM?)",
            "(read as: How tall is John Backus?)",
        ]
        or read_as
    )
    assert told[:9] == [
        "? Where was Ada Lovelace born?", "London.",
        "? and when did she die?", "1852-11-27.",
        "? What about Alan Turing?", "1954-06-07.",
        "? Who founded DEC?", "Harlan Anderson and Kenneth Olsen.",
        "? where were they educated?",
    ]  # fmt: skip
    assert "The graph names no other than John Backus." in told
    assert told[-2:] == ["? Who designed Unix?", "Ken Thompson."]
    assert "3,000 characters" in found.stderr and found.stderr.count("\n") == 1


def test_a_conversation_as_json_is_one_line_a_question(run):
    found = [
        json.loads(line)
        for line in run("ask", "--json", input="Who designed C?\nwhere was he educated?\n").stdout.splitlines()
    ]
    assert [(f["question"], f["answers"], f["notes"]) for f in found] == [
        ("Who designed C?", [["Dennis Ritchie"]], []),
        (
            "Where was Dennis Ritchie educated?",
            [["Harvard University"]],
            ["read as: Where was Dennis Ritchie educated?"],
        ),
    ]
    assert found[0]["gave"][0]["name"] == "Dennis Ritchie"


def test_questions_of_a_file_stay_independent(run, tmp_path):
    file = tmp_path / "q.jsonl"
    file.write_text('{"id": 1, "question": "Who designed C?"}\n{"id": 2, "question": "When did he die?"}\n')
    found = [json.loads(line) for line in run("ask", "--questions", str(file), "--json").stdout.splitlines()]
    assert (found[1]["notes"], found[1]["named"]) == ([], [])


class Line:
    """A way to the server that can be cut."""

    def __init__(self, uri):
        host, port = uri.rpartition("/")[2].split(":")
        self.target, self.open, self.sockets = (host, int(port)), True, []
        self.door = socket.create_server(("127.0.0.1", 0))
        self.uri = f"bolt://127.0.0.1:{self.door.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.door.accept()
            except OSError:
                return
            far = socket.create_connection(self.target)
            self.sockets += [near, far]
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(a, b), daemon=True).start()

    def _pump(self, a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
        except OSError:
            pass

    def cut(self):
        self.door.shutdown(socket.SHUT_RDWR)
        self.door.close()
        for one in self.sockets:
            one.close()


def test_a_server_that_dies_ends_the_conversation_in_one_line(run, neo4j):
    line = Line(neo4j.uri)
    command = [sys.executable, "-m", "kgpipe.cli", "ask", *run.where[:2], "--neo4j", line.uri]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    process.stdin.write("Who designed C?\n")
    process.stdin.flush()
    while "Dennis Ritchie." not in (said := process.stdout.readline()):
        assert said
    line.cut()
    _, errors = process.communicate("Who designed Unix?\nWho designed B?\n", timeout=300)
    assert process.returncode == 1
    assert errors.startswith(f"kgpipe: No Neo4j answers at {line.uri}") and errors.count("\n") == 1, errors


def test_the_prompt_of_a_terminal(run, neo4j, tmp_path):
    command = [sys.executable, "-m", "kgpipe.cli", "ask", *run.where]
    pid, terminal = pty.fork()
    if not pid:
        os.environ["TERM"] = "xterm"
        os.execv(command[0], command)
    said = b""

    def until(text, timeout_s=300, press=b""):
        """What is said up to `text`; `press` is pressed, and again every 20 s."""
        nonlocal said
        said, deadline, pressed = b"", time.monotonic() + timeout_s, -20.0
        while text not in said and time.monotonic() < deadline:
            if press and time.monotonic() - pressed >= 20:
                os.write(terminal, press)
                pressed = time.monotonic()
            if select.select([terminal], [], [], 1)[0]:
                try:
                    said += os.read(terminal, 4096)
                except OSError:  # its other end is closed
                    break
        assert text in said, said.decode()
        return said.decode()

    try:
        until(b"\n? ")
        os.write(terminal, b"Where was Ada Lov\t born?\n")
        assert "Ada Lovelace" in until(b"\r\n? ") and b"London." in said
        os.write(terminal, b"half a line")
        until(b"half a line")  # an interrupt throws away what the terminal holds, and readline waits in its read for it
        until(b"? ", press=b"\x03")  # one between two keys is missed by readline, and a person presses again
        os.write(terminal, b"\n")
        until(b"? ")
        os.write(terminal, b"when did she die?\n")
        assert "read as: When did Ada Lovelace die?" in until(b"\r\n? ") and b"1852-11-27." in said
        os.write(terminal, b"\x04")
        until(b"\r\n")
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        os.close(terminal)
    history = (tmp_path / "cache" / "kgpipe" / "history").read_text().splitlines()
    assert history == ["Where was Ada Lovelace born?", "when did she die?"]
