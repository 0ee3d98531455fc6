"""Errors of the command line: one line on standard error and the exit code."""

import json

import pytest

from kgpipe import cli
from kgpipe.engine import device, progress_bar
from kgpipe.errors import ConfigError


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr("sys.argv", ["kgpipe", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code, capsys.readouterr().err


@pytest.mark.parametrize("target", ["folder", "none/out.jsonl"])
def test_extract_says_where_it_cannot_write(monkeypatch, capsys, tmp_path, target):
    (tmp_path / "folder").mkdir()
    (tmp_path / "in.jsonl").write_text('{"id": 1, "text": "Ada wrote notes."}\n')
    code, said = run(monkeypatch, capsys, "extract", tmp_path / "in.jsonl", "--out", tmp_path / target)
    assert (code, said.count("\n")) == (1, 1)
    assert said.startswith(f"kgpipe: {tmp_path / target} cannot be written")


def test_what_the_system_refuses_is_one_line(monkeypatch, capsys, tmp_path):
    (tmp_path / "file").write_text("")
    code, said = run(monkeypatch, capsys, "build", tmp_path / "file", "--workspace", tmp_path / "file" / "ws")
    assert (code, said.count("\n")) == (1, 1)


def test_an_error_before_the_first_bar_is_the_only_line(monkeypatch, capsys, tmp_path):
    code, said = run(monkeypatch, capsys, "build", tmp_path / "none", "--workspace", tmp_path / "ws")
    assert (code, said) == (1, f"kgpipe: {tmp_path / 'none'} does not exist. Give a folder or file that does.\n")


def test_bars_without_a_total_end_with_what_was_counted(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress_bar() as progress:
        progress("read", 5, 0)
        progress("split", 1, 2)
    shown = capsys.readouterr().err
    assert "5/5" in shown
    assert "1/2" in shown


def test_a_log_gets_a_line_of_progress_now_and_then(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("kgpipe.engine.time.monotonic", lambda: now[0])
    with progress_bar() as progress:
        for second in range(0, 26, 5):
            now[0] = float(second)
            progress("extract", 256 * second, 10_000)
        now[0] = 36.0
        progress("read", 7, 0)
    assert capsys.readouterr().err == "extract: 2,560 of 10,000\nextract: 5,120 of 10,000\nread: 7\n"


@pytest.mark.parametrize("name", ["gpu", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(name):
    with pytest.raises(ConfigError, match=f'Device "{name}" is not here; this machine has cpu'):
        device(name)


def test_neo4j_commands_print_json_also_when_none_ran(capsys, tmp_path):
    home = tmp_path / "ws" / "neo4j"
    for command, expected in (("stop", {"stopped": 0}), ("logs", {"home": str(home), "lines": []})):
        cli.app(["neo4j", command, "--json", "--workspace", str(tmp_path / "ws")], standalone_mode=False)
        assert json.loads(capsys.readouterr().out) == expected
