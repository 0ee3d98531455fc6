import pyarrow.parquet as pq
import pytest

from kgpipe import workspace as workspace_module
from kgpipe.errors import WorkspaceError
from kgpipe.records import Document, Entity, Extraction, Mention, Passage, Relation, to_table
from kgpipe.workspace import MANY, SNAPSHOTS, Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "ws")


DOCUMENTS = [Document(uri=f"file:///{name}", text=name) for name in ("a", "b", "c")]


def test_rows_come_back_in_key_order_and_once(workspace):
    workspace.commit("documents", DOCUMENTS)
    workspace.commit("documents", list(reversed(DOCUMENTS)))
    assert workspace.read("documents").column("uid").to_pylist() == sorted(d.uid for d in DOCUMENTS)
    assert len(workspace.files("documents")) == 1


def test_deleting_rewrites_only_the_files_that_hold_the_rows(workspace):
    workspace.commit("documents", DOCUMENTS[:2])
    workspace.commit("documents", DOCUMENTS[2:])
    before = {path: path.stat().st_mtime_ns for path in workspace.files("documents")}
    assert workspace.delete("documents", "uid", [DOCUMENTS[0].uid]) == 1
    assert workspace.keys("documents") == {DOCUMENTS[1].uid, DOCUMENTS[2].uid}
    assert sum(path.stat().st_mtime_ns != before[path] for path in workspace.files("documents")) == 1
    assert workspace.delete("documents", "uid", [d.uid for d in DOCUMENTS]) == 2
    assert workspace.files("documents") == []


def test_an_extraction_is_one_row_also_when_nothing_was_found(workspace):
    passage = Passage("d", "v", 0, 20, "Ada wrote Notes here")
    found = Extraction(
        passage.uid, "f", "d",
        (Mention(0, 3, "Person", 0.9), Mention(10, 15, "Work", 0.8)),
        (Relation(0, "WROTE", 1, 0.7),),
    )  # fmt: skip
    empty = Extraction("p2", "f", "d")
    workspace.commit("extractions", [found, empty])
    rows = {row["passage"]: row for row in workspace.read("extractions").to_pylist()}
    assert rows["p2"]["mentions"] == []
    assert rows[passage.uid]["relations"][0]["uid"] == found.relations[0].uid(passage.uid, found.mentions)


def test_the_score_is_not_part_of_a_relations_identity():
    mentions = (Mention(0, 3, "Person"), Mention(10, 15, "Work"))
    low, high = Relation(0, "WROTE", 1, 0.5), Relation(0, "WROTE", 1, 0.9)
    assert low.uid("p", mentions) == high.uid("p", mentions)


def test_a_snapshot_replaces_all_tables_of_its_group(workspace):
    def tables(name):
        return {t: [Entity("e", "Person", name)] if t == "entities" else [] for t in SNAPSHOTS["resolution"]}

    workspace.snapshot("resolution", tables("first"), inputs="1")
    workspace.snapshot("resolution", tables("second"), inputs="2")
    assert workspace.read("entities").column("name").to_pylist() == ["second"]
    assert workspace.snapshot_inputs("resolution") == "2"
    assert len(list((workspace.path / "tables").glob("resolution-*"))) == 1


def test_a_half_written_file_is_not_seen(workspace):
    workspace.commit("documents", DOCUMENTS)
    pq.write_table(to_table("documents", DOCUMENTS), workspace.folder("documents") / ".half.parquet.1")
    assert workspace.read("documents").num_rows == 3


def test_two_builds_at_once_are_refused(workspace):
    with workspace.lock(), pytest.raises(WorkspaceError, match="Another kgpipe process"), workspace.lock():
        pass


def test_a_damaged_record_is_named_with_what_to_do(workspace):
    (workspace.path / "schema.json").write_text("{half")
    with pytest.raises(WorkspaceError, match=r"schema.json is damaged: .* Delete that file"):
        workspace.state("schema")


def test_a_folder_with_other_things_is_no_workspace(tmp_path):
    (tmp_path / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(WorkspaceError, match="no kgpipe workspace"):
        Workspace(tmp_path)


def test_a_damaged_table_names_the_file_and_the_fix(workspace):
    workspace.commit("documents", DOCUMENTS)
    workspace.files("documents")[0].write_bytes(b"not parquet")
    with pytest.raises(WorkspaceError, match="damaged.*Delete that file"):
        workspace.read("documents")


def test_a_file_that_another_shard_removes_while_the_table_is_read_is_no_damage(workspace, monkeypatch):
    workspace.commit("documents", DOCUMENTS[:2])
    workspace.commit("documents", DOCUMENTS[2:])
    listed = workspace.files("documents")
    (gone,) = [path for path in listed if pq.read_metadata(path).num_rows == 1]
    gone.unlink()
    answers = iter([listed, [path for path in listed if path != gone]])
    monkeypatch.setattr(Workspace, "files", lambda self, table: next(answers))
    assert workspace.read("documents").num_rows == 2


def test_many_small_files_are_joined_and_a_kill_at_any_step_changes_no_row(workspace, monkeypatch):
    documents = [Document(uri=f"file:///{n}", text=str(n)) for n in range(MANY + 5)]
    for one in documents:
        workspace.commit("documents", [one])
    expected = workspace.read("documents")

    class Killed(Exception):
        pass

    def killed(*arguments, **options):
        raise Killed

    for step in ("write_file", "Workspace._write", "Workspace._tidy"):
        calls = []
        with monkeypatch.context() as patched:
            target, name = (Workspace, step.split(".")[1]) if "." in step else (workspace_module, step)
            real = getattr(target, name)

            def later(*arguments, real=real, calls=calls, name=name):  # `_tidy` also begins
                calls.append(name)
                return real(*arguments) if name == "_tidy" and len(calls) == 1 else killed()

            patched.setattr(target, name, later)
            with pytest.raises(Killed):
                workspace.compact("documents")
        assert workspace.read("documents").equals(expected)
    for one in documents:
        workspace.delete("documents", "uid", [one.uid])
        workspace.commit("documents", [one])
    assert workspace.compact("documents") == MANY + 5
    assert len(workspace.files("documents")) == 1 and not list(workspace.folder("documents").glob("*.joined"))
    assert workspace.read("documents").equals(expected)
    assert workspace.compact("documents") == 0
