"""Near-duplicates are found by MinHash and decided by their true similarity; one stands for all."""

import random

import pytest

from kgpipe.config import Config
from kgpipe.corpus import dedup
from kgpipe.corpus.delete import remove_documents
from kgpipe.records import Document, content_id
from kgpipe.workspace import Workspace

WORDS = [f"word{i}" for i in range(400)]
IDEOGRAPHS = [chr(0x4E00 + i) for i in range(600)]


def text(seed, n_words=120, words=WORDS, space=" "):
    return space.join(random.Random(seed).choices(words, k=n_words))


def changed(text, n_words, space=" "):
    words = text.split(" ") if space else list(text)
    for i in range(n_words):
        words[i] = "另" if not space else f"other{i}"
    return space.join(words)


def duplicates(workspace):
    names = {content_id("document", uri): uri for uri in workspace.read("documents", ["uri"]).column(0).to_pylist()}
    rows = workspace.read("duplicates").to_pylist()
    return {names[row["document"]]: (names[row["representative"]], row["reason"]) for row in rows}


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "ws")


def test_near_duplicates_point_to_the_shortest_uri_and_deleting_it_brings_back_another(workspace):
    base = text(1)
    documents = [
        Document("a", base), Document("a-2", changed(base, 3)), Document("a-copy", base.upper()),
        Document("b", text(2)), Document("c-far", changed(base, 40)),
    ]  # fmt: skip
    workspace.commit("documents", documents)
    assert dedup.run(workspace, Config()) == {"duplicates": 2, "released": 0}
    near = dedup.jaccard(*(dedup.shingles(dedup.shingle_text(t)) for t in (base, documents[1].text)))
    assert duplicates(workspace) == {"a-2": ("a", f"near {near:.2f}"), "a-copy": ("a", "exact")}
    assert dedup.run(workspace, Config()) == {"duplicates": 0, "released": 0}
    remove_documents(workspace, [documents[1].uid])
    workspace.commit("documents", [documents[1]])  # back before this stage ran again
    assert dedup.run(workspace, Config()) == {"duplicates": 1, "released": 0}
    remove_documents(workspace, [documents[0].uid])
    assert dedup.run(workspace, Config()) == {"duplicates": 1, "released": 1}
    assert duplicates(workspace) == {"a-copy": ("a-2", f"near {near:.2f}")}
    assert dedup.run(workspace, Config(near_duplicate=0)) == {"duplicates": 0, "released": 1}


def test_chinese_is_compared_by_characters(workspace):
    base = text(3, 150, IDEOGRAPHS, "")
    workspace.commit(
        "documents",
        [Document("a", base), Document("b2", changed(base, 4, "")), Document("c", text(4, 150, IDEOGRAPHS, ""))],
    )
    dedup.run(workspace, Config())
    assert {k: v[0] for k, v in duplicates(workspace).items()} == {"b2": "a"}


def test_short_records_that_differ_in_one_name_are_both_kept(workspace):
    record = "{} was born in London in the year 1815 and worked there as a teacher of mathematics for many years of her life."
    workspace.commit("documents", [Document("a", record.format("Ada")), Document("b", record.format("Grace"))])
    assert dedup.run(workspace, Config()) == {"duplicates": 0, "released": 0}


def test_no_chain_joins_what_is_not_alike_and_order_of_arrival_does_not_matter(tmp_path):
    base = text(5, 200)
    chain = [Document(f"{i:03}", changed(base, 8 * i)) for i in range(12)]
    found = []
    for seed in range(3):
        workspace = Workspace(tmp_path / str(seed))
        for document in random.Random(seed).sample(chain, len(chain)):
            workspace.commit("documents", [document])
            if seed:
                dedup.run(workspace, Config())
        dedup.run(workspace, Config())
        found.append(duplicates(workspace))
    assert found[0] == found[1] == found[2]
    texts = {d.uri: dedup.shingles(dedup.shingle_text(d.text)) for d in chain}
    assert len(found[0]) > 3
    assert all(dedup.jaccard(texts[a], texts[b]) >= 0.8 for a, (b, _) in found[0].items())
    kept = [uri for uri in texts if uri not in found[0]]
    assert all(dedup.jaccard(texts[a], texts[b]) < 0.8 for a in kept for b in kept if a < b)


def test_shingles_are_what_the_words_say():
    assert dedup.shingle_text("The ENIAC's 18,000 tubes—王选。") == "the eniac s 18 000 tubes 王 选"
    one, two = (dedup.shingles(f"a b c d e f{more}") for more in ("", " g"))
    assert (len(one), len(two), dedup.jaccard(one, two)) == (2, 3, 2 / 3)
    assert len(dedup.shingles("a b c d")) == 0
