"""A folder of files becomes documents and passages, and stays in step with the files."""

import json
import os

import pytest

from kgpipe.config import Config
from kgpipe.corpus import dedup, delete, read, sources, split
from kgpipe.errors import InputError, TooManyFailures
from kgpipe.records import Extraction, content_id
from kgpipe.workspace import Workspace

STAGES = {"sources": sources.run, "read": read.run, "dedup": dedup.run, "split": split.run}
ENIAC = "The ENIAC was built at the University of Pennsylvania. It was announced in 1946."
COLOSSUS = "The Colossus was built by Tommy Flowers at Dollis Hill. It was kept secret until the 1970s."
ZUSE = "Konrad Zuse baute im Jahr 1941 in Berlin den ersten frei programmierbaren Rechner der Welt."
WANG = "王选是中国计算机科学家，他领导研制了汉字激光照排系统。"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    return folder


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "ws")


def build(workspace, *paths, prune=False, **settings):
    """Counts of the four stages, lists and zeros left out."""
    workspace.set_state("paths", {"paths": [str(path) for path in paths], "prune": prune})
    config = Config(**settings)
    found = {name: stage(workspace, config) for name, stage in STAGES.items()}
    return {name: {k: v for k, v in counts.items() if v} for name, counts in found.items()}


NOTHING = {"sources": {}, "read": {}, "dedup": {}, "split": {}}


def texts(workspace):
    """{name of the file or #row: text} of all documents."""
    return {row["uri"].rpartition("/")[2]: row["text"] for row in workspace.read("documents").to_pylist()}


def files(workspace):
    return {path: path.read_bytes() for path in sorted(workspace.path.rglob("*.parquet")) if path.parent.name != "runs"}


def test_all_kinds_become_documents_and_a_second_build_changes_nothing(folder, workspace):
    (folder / "eniac.txt").write_text(ENIAC)
    (folder / "deep").mkdir()
    (folder / "deep" / "colossus.md").write_text(f"# Colossus\n\n{COLOSSUS}")
    (folder / "zuse.html").write_text(f"<html><body><p>{ZUSE}</p></body></html>")
    (folder / "rows.jsonl").write_text(json.dumps({"id": "wang", "title": "王选", "text": WANG}))
    (folder / ".hidden.txt").write_text("not read")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    counts = build(workspace, folder)
    assert counts == {
        "sources": {"sources": 4, "ignored": [str(folder / "picture.png")]},
        "read": {"documents": 4},
        "dedup": {},
        "split": {"documents": 2, "passages": 2},
    }
    rows = {row["uri"]: row for row in workspace.read("documents").to_pylist()}
    wang = rows[(folder / "rows.jsonl").as_uri() + "#wang"]
    assert {k: v for k, v in wang.items() if k not in ("version", "source_version")} == {
        "uid": content_id("document", wang["uri"]),
        "uri": wang["uri"],
        "source": (folder / "rows.jsonl").as_uri(),
        "title": "王选",
        "language": "zh",
        "time": "",
        "metadata": "{}",
        "text": WANG,
        "marks": [],
        "removals": [],
    }
    assert sorted(row["language"] for row in rows.values()) == ["de", "en", "en", "zh"]
    before = files(workspace)
    del counts["sources"]["sources"]
    assert build(workspace, folder) == NOTHING | {"sources": counts["sources"]}
    assert files(workspace) == before


def test_a_changed_file_replaces_what_it_said(folder, workspace):
    (folder / "eniac.txt").write_text(ENIAC)
    (folder / "colossus.txt").write_text(COLOSSUS)
    build(workspace, folder)
    passages = workspace.read("passages", ["uid", "document"]).to_pylist()
    workspace.commit("extractions", [Extraction(row["uid"], "f", row["document"]) for row in passages])
    (folder / "eniac.txt").write_text("The ENIAC ran until 1955.")
    assert build(workspace, folder) == {
        "sources": {"changed": 1},
        "read": {"updated": 1},
        "dedup": {},
        "split": {"documents": 1, "passages": 1, "stale": 1},
    }
    assert texts(workspace) == {"eniac.txt": "The ENIAC ran until 1955.", "colossus.txt": COLOSSUS}
    assert sorted(workspace.read("passages", ["text"]).column(0).to_pylist()) == [COLOSSUS, "The ENIAC ran until 1955."]
    colossus = content_id("document", (folder / "colossus.txt").as_uri())
    assert workspace.read("extractions", ["document"]).column(0).to_pylist() == [colossus]


def test_a_changed_row_of_a_jsonl_file_leaves_the_other_rows_as_they_are(folder, workspace):
    def write(rows):
        (folder / "rows.jsonl").write_text("\n".join(json.dumps({"id": id, "text": text}) for id, text in rows.items()))

    write({"a": ENIAC, "b": COLOSSUS, "c": "The Z3 was built."})
    build(workspace, folder)
    kept = {row["text"]: row["uid"] for row in workspace.read("passages").to_pylist()}
    write({"a": ENIAC, "b": "The Colossus was secret.", "d": "The EDSAC was built."})
    assert build(workspace, folder) == {
        "sources": {"changed": 1},
        "read": {"documents": 1, "updated": 1, "removed": 1},
        "dedup": {},
        "split": {"documents": 2, "passages": 2, "stale": 2},
    }
    assert texts(workspace) == {
        "rows.jsonl#a": ENIAC,
        "rows.jsonl#b": "The Colossus was secret.",
        "rows.jsonl#d": "The EDSAC was built.",
    }
    assert {row["text"]: row["uid"] for row in workspace.read("passages").to_pylist()}[ENIAC] == kept[ENIAC]
    assert build(workspace, folder) == NOTHING


def test_a_file_of_many_texts_is_opened_again_only_when_it_or_what_it_gave_changed(folder, workspace, monkeypatch):
    path = folder / "rows.jsonl"
    path.write_text("\n".join(json.dumps({"id": id, "text": text}) for id, text in {"a": ENIAC, "b": COLOSSUS}.items()))
    build(workspace, folder)
    opened = []
    texts_of = read.reader().texts
    monkeypatch.setattr(read.reader(), "texts", lambda path, **more: opened.append(path) or texts_of(path, **more))
    assert build(workspace, folder) == NOTHING and opened == []
    delete.delete_document(workspace, f"{path}#a")
    assert build(workspace, folder)["read"] == {"documents": 1} and opened == [path]
    assert build(workspace, folder) == NOTHING and opened == [path]
    assert build(workspace, folder, min_words=100)["read"] == {"filtered": 2, "removed": 2} and opened == [path] * 2


def test_files_that_are_gone_are_named_and_removed_only_with_prune(folder, workspace):
    for name, text in {"eniac.txt": ENIAC, "colossus.txt": COLOSSUS}.items():
        (folder / name).write_text(text)
    build(workspace, folder)
    (folder / "eniac.txt").unlink()
    gone = (folder / "eniac.txt").as_uri()
    assert build(workspace, folder) == NOTHING | {"sources": {"gone": [gone]}}
    assert set(texts(workspace)) == {"eniac.txt", "colossus.txt"}
    assert build(workspace, folder, prune=True) == NOTHING | {"sources": {"removed": 1}}
    assert set(texts(workspace)) == {"colossus.txt"}
    assert workspace.read("passages").num_rows == 1
    (folder / "colossus.txt").unlink()
    build(workspace, folder, prune=True)
    assert [workspace.read(table).num_rows for table in ("sources", "documents", "passages")] == [0, 0, 0]


def test_building_another_folder_adds_to_what_is_there(folder, workspace, tmp_path):
    (folder / "eniac.txt").write_text(ENIAC)
    build(workspace, folder)
    other = tmp_path / "colossus.txt"
    other.write_text(COLOSSUS)
    assert build(workspace, other)["read"] == {"documents": 1}
    assert set(texts(workspace)) == {"eniac.txt", "colossus.txt"}


def test_duplicates_have_one_representative_and_its_deletion_brings_back_another(folder, workspace):
    for name in ("eniac.txt", "eniac-copy.txt", "eniac-copy-2.txt"):
        (folder / name).write_text(ENIAC if name == "eniac.txt" else ENIAC.upper().replace(" ", "\n\n", 1))
    (folder / "colossus.txt").write_text(COLOSSUS)
    assert build(workspace, folder)["dedup"] == {"duplicates": 2}

    def duplicates():
        names = {row["uid"]: row["uri"].rpartition("/")[2] for row in workspace.read("documents").to_pylist()}
        rows = workspace.read("duplicates").to_pylist()
        return {names[row["document"]]: (names[row["representative"]], row["reason"]) for row in rows}

    assert duplicates() == {"eniac-copy.txt": ("eniac.txt", "exact"), "eniac-copy-2.txt": ("eniac.txt", "exact")}
    assert workspace.read("passages").num_rows == 2
    (folder / "eniac.txt").unlink()
    counts = build(workspace, folder, prune=True)
    assert counts["dedup"] == {"duplicates": 1, "released": 1}
    assert duplicates() == {"eniac-copy-2.txt": ("eniac-copy.txt", "exact")}
    assert workspace.read("passages").num_rows == 2


def test_shards_together_read_what_one_reads(folder, tmp_path):
    (folder / "rows.jsonl").write_text(
        "\n".join(json.dumps({"id": i, "text": f"Machine {i} was built."}) for i in range(20)) + "\n{bad\n{worse"
    )
    for i in range(10):
        (folder / f"{i}.txt").write_text(f"Person {i} was born." if i % 3 else "")
    found = []
    for n_shards in (1, 4):
        workspace = Workspace(tmp_path / str(n_shards))
        workspace.set_state("paths", {"paths": [str(folder)]})
        sources.run(workspace, Config())
        counts = [read.run(workspace, Config(), shard=(i, n_shards)) for i in range(n_shards)]
        total = {key: sum(count[key] for count in counts) for key in counts[0]}
        found.append((total, workspace.read("documents"), workspace.read("failures")))
    assert found[0] == found[1]
    assert found[0][0] == {"documents": 26, "updated": 0, "filtered": 0, "removed": 0, "failed": 6}


def test_an_interrupted_build_ends_as_an_uninterrupted_one(folder, workspace, tmp_path, monkeypatch):
    """Stopped after each single write of a build, and started anew, it ends with the same tables."""
    (folder / "eniac.txt").write_text(ENIAC)
    (folder / "rows.jsonl").write_text("\n".join(json.dumps({"id": i, "text": f"Item {i} ran."}) for i in range(5)))

    def change():
        (folder / "eniac.txt").write_text("The ENIAC ran until 1955.")
        (folder / "copy.txt").write_text("Item 3 ran.")
        (folder / "rows.jsonl").write_text(json.dumps({"id": 3, "text": "Item 3 ran."}) + '\n{"id": 9}')

    def tables(workspace):
        return {name: workspace.read(name) for name in ("sources", "documents", "duplicates", "passages", "failures")}

    class Killed(BaseException):
        pass

    replace = os.replace

    def killed_after(n_writes):
        left = [n_writes]

        def counted(*args):
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            replace(*args)

        return counted

    build(workspace, folder)
    change()
    build(workspace, folder)
    expected = tables(workspace)
    for n_writes in range(0, 12):
        (folder / "copy.txt").unlink(missing_ok=True)
        (folder / "eniac.txt").write_text(ENIAC)
        (folder / "rows.jsonl").write_text("\n".join(json.dumps({"id": i, "text": f"Item {i} ran."}) for i in range(5)))
        again = Workspace(tmp_path / f"killed-{n_writes}")
        build(again, folder)
        change()
        again.set_state("paths", {"paths": [str(folder)]})
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", killed_after(n_writes))
            try:
                for stage in STAGES.values():
                    stage(again, Config())
            except Killed:
                pass
        build(again, folder)
        assert tables(again) == expected


# --- bad input


def test_an_empty_folder_is_refused_with_what_is_allowed(folder, workspace):
    (folder / "notes.xyz").write_text("x")
    with pytest.raises(InputError) as error:
        build(workspace, folder)
    assert str(error.value) == (
        f"Nothing to read in {folder}; of other kinds: notes.xyz. Allowed: {sources.ALLOWED}. "
        "Add such files or name their folder."
    )


def test_a_missing_path_is_refused(folder, workspace):
    with pytest.raises(InputError, match="missing does not exist. Give a folder or file that does"):
        build(workspace, folder / "missing")


def failures(workspace):
    return {row["key"].rpartition("/")[2]: row["reason"] for row in workspace.read("failures").to_pylist()}


def test_bad_files_are_named_and_the_good_ones_read(folder, workspace):
    (folder / "eniac.txt").write_text(ENIAC)
    (folder / "rows.jsonl").write_text(json.dumps({"id": "a", "text": COLOSSUS}) + "\n{bad")
    (folder / "broken.html").write_text("<html><p>Ada <b>Lovelace</p> wrote notes on the engine.<div")
    (folder / "binary.txt").write_bytes(bytes(range(256)) * 10)
    (folder / "empty.txt").write_text(" \n\n ")
    (folder / "large.txt").write_text("x" * 5000)
    (folder / "lost.txt").symlink_to(folder / "nowhere")
    counts = build(workspace, folder, max_bytes=4000, max_failed=0.7)
    assert counts["read"] == {"documents": 3, "failed": 5}
    assert failures(workspace) == {
        "binary.txt": "not text",
        "empty.txt": "no text",
        "large.txt": "too large: 5,000 bytes, 4,000 allowed; split it, or raise max_bytes in kgpipe.toml",
        "lost.txt": "cannot be read: No such file or directory",
        "rows.jsonl#line-2": "line 2 is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 "
        '(char 1); expected {"id", "text"}',
    }
    assert build(workspace, folder, max_bytes=4000, max_failed=0.7) == NOTHING
    (folder / "binary.txt").write_text("Now a text.")
    (folder / "rows.jsonl").write_text(json.dumps({"id": "a", "text": COLOSSUS}))
    build(workspace, folder, max_bytes=4000)
    assert set(failures(workspace)) == {"empty.txt", "large.txt", "lost.txt"}


def test_a_file_that_can_no_longer_be_read_loses_its_document(folder, workspace):
    (folder / "eniac.txt").write_text(ENIAC)
    (folder / "colossus.txt").write_text(COLOSSUS)
    build(workspace, folder)
    (folder / "eniac.txt").write_bytes(b"\0\1\2")
    counts = build(workspace, folder)
    assert counts["read"] == {"removed": 1, "failed": 1}
    assert (set(texts(workspace)), failures(workspace)) == ({"colossus.txt"}, {"eniac.txt": "not text"})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_the_right_to_read_is_a_failure(folder, workspace):
    (folder / "eniac.txt").write_text(ENIAC)
    (folder / "secret.txt").write_text(COLOSSUS)
    (folder / "secret.txt").chmod(0)
    build(workspace, folder)
    assert failures(workspace) == {"secret.txt": "cannot be read: Permission denied"}


def test_too_many_failures_stop_the_build_and_name_the_first(folder, workspace):
    for i in range(5):
        (folder / f"{i}.txt").write_bytes(b"\0\1\2")
    (folder / "good.txt").write_text(ENIAC)
    with pytest.raises(TooManyFailures) as error:
        build(workspace, folder)
    assert str(error.value).startswith("5 of 6 texts could not be read, more than max_failed = 0.5 allows. First: ")
    assert str(error.value).count("not text") == 3


def test_a_loop_of_links_ends(folder, workspace):
    (folder / "eniac.txt").write_text(ENIAC)
    (folder / "loop").symlink_to(folder)
    (folder / "deep").mkdir()
    (folder / "deep" / "up").symlink_to("..")
    assert build(workspace, folder)["sources"] == {"sources": 1}


def test_a_workspace_inside_the_folder_is_not_read(folder):
    (folder / "eniac.txt").write_text(ENIAC)
    workspace = Workspace(folder / "ws")
    (folder / "ws" / "log.txt").write_text("not read")
    assert build(workspace, folder)["sources"] == {"sources": 1}


def test_names_that_are_no_utf8_and_odd_ids_are_kept_apart(folder, workspace):
    (folder / os.fsdecode(b"caf\xe9 100%#.txt")).write_text(ENIAC)
    (folder / "rows.jsonl").write_text(json.dumps({"id": "a/b#c", "text": COLOSSUS}))
    build(workspace, folder)
    assert set(texts(workspace)) == {"caf%E9%20100%25%23.txt", "b%23c"}
    assert build(workspace, folder) == NOTHING


@pytest.mark.slow
def test_a_text_of_20_megabytes_is_read_and_split(folder, workspace):
    sentence = f"{'Electronic numerical integrators and computers ' * 8}were built."
    (folder / "large.txt").write_text("\n\n".join(f"{sentence} There were {i}." for i in range(50_000)))
    assert (folder / "large.txt").stat().st_size > 20_000_000
    counts = build(workspace, folder)
    assert counts["read"] == {"documents": 1}
    assert counts["split"]["passages"] > 20_000


# --- deleting


@pytest.fixture
def filled(folder, workspace):
    (folder / "eniac.txt").write_text(f"The ENIAC\n\n{ENIAC}")
    (folder / "rows.jsonl").write_text(
        "\n".join(json.dumps({"id": i, "title": "Colossus", "text": f"{COLOSSUS} {i}"}) for i in "ab")
    )
    (folder / "bad.txt").write_bytes(b"\0")
    build(workspace, folder)
    passages = workspace.read("passages", ["uid", "document"]).to_pylist()
    workspace.commit("extractions", [Extraction(row["uid"], "f", row["document"]) for row in passages])
    return workspace


@pytest.mark.parametrize("name", ["path", "relative path", "uri", "uid", "title"])
def test_a_document_is_deleted_by_any_of_its_names(filled, folder, name, monkeypatch):
    monkeypatch.chdir(folder.parent)
    path = folder / "eniac.txt"
    names = {
        "path": str(path),
        "relative path": "corpus/eniac.txt",
        "uri": path.as_uri(),
        "uid": content_id("document", path.as_uri()),
        "title": "The ENIAC",
    }
    assert delete.delete_document(filled, names[name]) == {
        "documents": 1,
        "uri": path.as_uri(),
        "title": "The ENIAC",
        "note": f"{path} is still there, so the next build that reads it adds the document again; move the file away first.",
    }
    assert set(texts(filled)) == {"rows.jsonl#a", "rows.jsonl#b"}
    uid = names["uid"]
    for table, column in {"passages": "document", "extractions": "document", "documents": "uid"}.items():
        assert uid not in filled.read(table, [column]).column(0).to_pylist()
    assert path.as_uri() not in filled.keys("sources")


def test_deleting_a_row_keeps_the_others_of_its_file(filled, folder):
    delete.delete_document(filled, f"{folder}/rows.jsonl#a")
    assert set(texts(filled)) == {"eniac.txt", "rows.jsonl#b"}
    assert (folder / "rows.jsonl").as_uri() in filled.keys("sources")


def test_a_failed_file_can_be_deleted(filled, folder):
    (folder / "bad.txt").unlink()
    assert delete.delete_document(filled, str(folder / "bad.txt"))["note"] == ""
    assert failures(filled) == {}


def test_an_unknown_document_is_refused_with_close_names(filled):
    with pytest.raises(InputError, match='No document "The ENIACK" in .* Did you mean: The ENIAC'):
        delete.delete_document(filled, "The ENIACK")


def test_a_title_of_several_documents_is_refused_with_their_uris(filled, folder):
    with pytest.raises(InputError, match='2 documents are called "Colossus": .*#a, .*#b. Name one by its uri.'):
        delete.delete_document(filled, "Colossus")
