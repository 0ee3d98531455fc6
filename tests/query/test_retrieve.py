"""Sentences of the text for what the graph does not tell: by words, by meaning, by titles; vectors kept and dropped."""

import logging

import pytest

from kgpipe.graph.load import load
from kgpipe.graph.store import Store
from kgpipe.models.embed import load_embedder
from kgpipe.query.answer import ask
from kgpipe.query.retrieve import Passages, asked_for, retrieve
from kgpipe.records import Document, Passage
from kgpipe.workspace import Workspace

TEXTS = {
    "Garage": "The garage opened in 1931. A mechanic there repairs cars and lorries. He is seldom in a hurry.",
    "Bakery": "Bread is sold from five in the morning. The rolls cost a penny.",
    "Mill": "The flour comes from a mill by the river.",
    "Anna Weber": "Anna Weber runs the Bakery with two sisters.",
}


@pytest.fixture
def workspace(tmp_path, schema):
    found = Workspace(tmp_path / "workspace")
    found.set_state("schema", {"name": schema.name, "json": schema.to_json()})
    found.snapshot("resolution", dict.fromkeys(("entities", "merges", "literals", "facts", "evidence"), ()), inputs="")
    return found


@pytest.fixture
def passages(graph, workspace):
    """The four texts in a graph of their own, each one passage that begins after a heading."""
    add(workspace, TEXTS)
    with Store(graph.uri, graph.user, graph.password) as store:
        load(store, workspace)
        store.write("CALL db.awaitIndexes(60)")
        yield Passages(store, load_embedder(), workspace)


def add(workspace, texts):
    documents = [Document(f"file:///{title}", f"HEADING\n{text}", title=title) for title, text in texts.items()]
    workspace.commit("documents", documents)
    workspace.commit("passages", [Passage(d.uid, d.version, 8, len(d.text), d.text[8:]) for d in documents])


def remove(workspace, title):
    uid = Document(f"file:///{title}", "").uid
    for table in ("vectors", "passages"):
        workspace.delete(table, "document", [uid])
    workspace.delete("documents", "uid", [uid])


def test_a_sentence_without_a_word_of_the_question_is_found_by_meaning(passages):
    best = retrieve("Who fixes broken automobiles?", passages)[0]
    assert (best.text, best.document) == ("A mechanic there repairs cars and lorries.", "Garage")
    passages.refresh()
    assert passages.by_words("Who fixes broken automobiles?") == {}


def test_offsets_are_those_of_the_sentence_in_its_document(passages, workspace):
    texts = {row["uri"]: row["text"] for row in workspace.read("documents", ["uri", "text"]).to_pylist()}
    found = retrieve("When is the bread of the bakery sold, and what do the rolls cost?", passages)
    assert {f.text for f in found} >= {"Bread is sold from five in the morning.", "The rolls cost a penny."}
    assert [texts[f.uri][f.start : f.end] for f in found] == [f.text for f in found]
    assert [f.score for f in found] == sorted((f.score for f in found), reverse=True)


def test_a_sentence_without_a_number_or_date_does_not_tell_how_many_or_when(passages):
    found = retrieve("How many lorries does the mechanic repair?", passages)
    assert "A mechanic there repairs cars and lorries." in [f.text for f in found]
    assert {f.likely for f in found if "1931" not in f.text and "penny" not in f.text and "two" not in f.text} == {0}
    assert retrieve("When did the garage open?", passages)[0].likely > 0
    assert retrieve("Who repairs lorries?", passages)[0].likely > 0


def test_a_document_that_the_best_passage_names_is_found_in_a_second_step(passages):
    """Nothing in the baker's passage is asked for; that of Anna Weber, which is, names it."""
    passages.refresh()
    question = "What is Anna Weber running?"
    ranked = passages.ranked(question, passages.embedder.encode([question])[0])
    titles = [title for *_, title, _ in passages.texts([i for i, *_ in ranked])]
    assert titles[:2] == ["Anna Weber", "Bakery"]
    assert all(shared >= score - 1e-6 for _, score, shared in ranked)


def test_what_a_load_adds_is_found_and_what_it_removes_is_not(passages, workspace):
    question = "Which animal pulls the sledge across the snow?"
    assert retrieve(question, passages) == []
    add(workspace, {"Sledge": "A reindeer hauls the sleigh in winter."})
    load(passages.store, workspace)
    assert retrieve(question, passages)[0].text == "A reindeer hauls the sleigh in winter."
    remove(workspace, "Sledge")
    load(passages.store, workspace)
    assert retrieve(question, passages) == []


def test_vectors_are_kept_and_only_new_passages_are_embedded(passages, workspace, monkeypatch):
    retrieve("Who fixes broken automobiles?", passages)
    kept = workspace.read("vectors").to_pylist()
    assert {row["passage"] for row in kept} == workspace.keys("passages")
    assert {row["model"] for row in kept} == {load_embedder().fingerprint}
    add(workspace, {"Sledge": "A reindeer hauls the sleigh in winter."})
    load(passages.store, workspace)
    again = Passages(passages.store, load_embedder(), workspace)
    again.refresh()
    read, encode = [], again.embedder.encode
    monkeypatch.setattr(again.embedder, "encode", lambda texts: read.extend(texts) or encode(texts))
    again.embed()
    assert read == ["A reindeer hauls the sleigh in winter."]


def test_vectors_of_another_embedder_are_not_used(passages, workspace):
    retrieve("Who fixes broken automobiles?", passages)
    rows = [{**row, "model": "another"} for row in workspace.read("vectors").to_pylist()]
    for title in TEXTS:
        workspace.delete("vectors", "document", [Document(f"file:///{title}", "").uid])
    workspace.commit("vectors", rows)
    again = Passages(passages.store, load_embedder(), workspace)
    assert retrieve("Who fixes broken automobiles?", again)[0].document == "Garage"
    assert set(workspace.read("vectors", ["model"]).column(0).to_pylist()) == {load_embedder().fingerprint}


def test_a_question_embeds_a_bounded_number_and_says_what_is_left(passages, caplog):
    passages.refresh()
    with caplog.at_level(logging.WARNING):
        passages.embed([2], most=1)
    assert passages._embedded.tolist() == [False, False, True, False]
    assert "3 of 4 passages are found by their words alone so far" in caplog.text


@pytest.mark.parametrize("question", ["Who is it?", "???", "🙂", "blargh zonk flim"])
def test_nothing_is_shown_for_no_words_or_nonsense(passages, question):
    assert retrieve(question, passages) == []


def test_a_graph_without_passages_gives_no_sentences(store, schema):
    store.write("MATCH (p:Passage) DETACH DELETE p")
    answer = ask("What did Charles Babbage eat for breakfast?", store, schema)
    assert (answer.source, answer.evidence) == ("none", ())
    assert answer.text == "The graph does not tell."


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("When was it built?", "date"), ("In which year did he die?", "date"), ("How many were sold?", "number"),
        ("What was the population of Ulm?", "number"), ("Did he sleep?", "truth"), ("Who slept?", "name"),
        ("What colour is it?", "name"), ("What did he eat?", "any"),
    ],
)  # fmt: skip
def test_the_kind_of_answer_that_is_asked_for(question, kind):
    assert asked_for(question) == kind


def test_a_sentence_with_a_date_answers_when(passages):
    assert "1931" in retrieve("When did the garage open?", passages)[0].text
