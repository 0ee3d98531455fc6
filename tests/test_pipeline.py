"""Input that cannot be used is refused before anything is written."""

import json

import pytest

from kgpipe import pipeline
from kgpipe.config import Config
from kgpipe.errors import InputError, KgpipeError, SchemaError, StoreError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("Ada Lovelace was born in London.")
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("paths", "schema", "error", "message"),
    [
        (["empty"], "", InputError, "Nothing to read in .*empty. Allowed: .txt .md"),
        (["none"], "", InputError, "none does not exist"),
        ([], "", InputError, "No path was given"),
        (["docs"], "nosuch", SchemaError, 'Unknown schema "nosuch"; known: computing, general'),
    ],
)
def test_what_cannot_be_built_leaves_no_trace(folder, paths, schema, error, message):
    config = Config(workspace=folder / "ws")
    with pytest.raises(error, match=message):
        pipeline.build([folder / path for path in paths], config, schema=schema)
    assert not config.workspace.exists()

    workspace = pipeline.Workspace(config.workspace)
    pipeline.prepare(workspace, [folder / "docs"], schema="computing")
    before = (workspace.state("schema"), workspace.state("paths"))
    if paths:
        with pytest.raises(error, match=message):
            pipeline.build([folder / path for path in paths], config, schema=schema or "general")
        assert (workspace.state("schema"), workspace.state("paths")) == before


def test_a_server_that_is_down_is_named_before_the_work(folder):
    config = Config(workspace=folder / "ws", neo4j="bolt://127.0.0.1:1")
    with pytest.raises(StoreError, match="No Neo4j answers at bolt://127.0.0.1:1"):
        pipeline.build([folder / "docs"], config)
    assert not (config.workspace / "tables").exists()
    assert json.loads((config.workspace / "workspace.json").read_text())["format"] == 1


def test_a_build_is_refused_while_another_runs(folder):
    config = Config(workspace=folder / "ws")
    with pipeline.Workspace(config.workspace).lock(), pytest.raises(pipeline.WorkspaceError, match="Another kgpipe"):
        pipeline.build([folder / "docs"], config)


def test_every_stage_that_ends_is_a_run_also_one_that_fails(folder, monkeypatch, capsys):
    from kgpipe import cli

    config = Config(workspace=folder / "ws", max_failed=0.1)
    workspace = pipeline.Workspace(config.workspace)
    pipeline.prepare(workspace, [folder / "docs"])
    pipeline.run_stage("sources", config)
    (folder / "docs" / "b.pdf").write_bytes(b"%PDF-1.4 broken")
    pipeline.run_stage("sources", config)
    with pytest.raises(KgpipeError) as error:
        pipeline.run_stage("read", config, shard=(0, 1))
    found = pipeline.runs(workspace)
    assert [(r["stage"], r["shard"], r["error"]) for r in found] == [
        ("read", "0/1", str(error.value)), ("sources", "0/1", ""), ("sources", "0/1", ""),
    ]  # fmt: skip
    assert [r["counts"].get("sources") for r in found] == [None, 1, 1]
    assert pipeline.runs(workspace, last=1) == found[:1]

    cli.app(["runs", "--workspace", str(config.workspace), "-n", "2"], standalone_mode=False)
    first, second = capsys.readouterr().out.splitlines()
    assert f"error: {error.value}" in first
    assert second.endswith("s  sources 1")


def test_a_pattern_names_files_and_an_empty_folder_is_an_error_unless_allowed(folder):
    (folder / "docs" / "b.md").write_text("Ada wrote notes.")
    config = Config(workspace=folder / "ws")
    workspace = pipeline.Workspace(config.workspace)
    pipeline.prepare(workspace, [folder / "docs" / "*.md"])
    assert pipeline.run_stage("sources", config)["sources"] == 1
    for allowed in (True, False):
        path = folder / "empty"
        other = Config(workspace=folder / f"ws_{allowed}")
        pipeline.prepare(pipeline.Workspace(other.workspace), [path], allow_empty=allowed)
        if allowed:
            pipeline.check_input([path], other, allow_empty=True)
            assert pipeline.run_stage("sources", other)["sources"] == 0
        else:
            with pytest.raises(InputError, match="Nothing to read in .*empty"):
                pipeline.run_stage("sources", other)
    with pytest.raises(InputError, match="/none does not exist"):
        pipeline.check_input([folder / "none" / "*.md"], config, allow_empty=True)
