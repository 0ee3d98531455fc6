import pytest

from kgpipe.evaluate import same
from kgpipe.pipeline import prepare
from kgpipe.records import Document, Entity, Evidence, Fact, Passage
from kgpipe.workspace import Workspace


def built(folder, *, ada, charles, aliases=("Ada",), score=0.9):
    """A workspace with one marriage; `ada` and `charles` are the uids of its entities."""
    workspace = Workspace(folder)
    prepare(workspace, [], schema="computing")
    document = Document("file:///c/ada.txt", "Ada and William married.")
    passage = Passage(document.uid, document.version, 0, 24, document.text)
    workspace.commit("documents", [document])
    workspace.commit("passages", [passage])
    entities = [
        Entity(ada, "Person", "Ada Lovelace", aliases, ("m1", "m3")),
        Entity(charles, "Person", "William King", (), ("m2",)),
    ]
    subject, object_ = sorted((ada, charles))
    fact = Fact(subject, "SPOUSE", object_, score=score, sentence=document.text, source=document.uri)
    evidence = Evidence(
        "r1", fact.uid, "SPOUSE", subject, object_, document.uid, passage.uid, 0, 24, document.text, "encoder", score
    )
    tables = {"entities": entities, "merges": [], "literals": [], "facts": [fact], "evidence": [evidence]}
    workspace.snapshot("resolution", tables, inputs="1")
    return workspace


def test_uids_of_entities_and_scores_do_not_matter(tmp_path):
    left = same.tables(built(tmp_path / "a", ada="e1", charles="e2"))
    right = same.tables(built(tmp_path / "b", ada="z9", charles="e2", score=0.8999))
    assert same.differences(left, right) == []
    assert same.fingerprint(left) == same.fingerprint(right)


def test_what_differs_is_named_with_its_table(tmp_path):
    left = same.tables(built(tmp_path / "a", ada="e1", charles="e2"))
    other = built(tmp_path / "b", ada="e1", charles="e2", aliases=("Ada", "Countess of Lovelace"))
    other.commit("failures", [{"uid": "f", "stage": "read", "key": "k", "reason": "r", "exception": ""}])
    lines = same.differences(left, same.tables(other))
    assert [line.split(":")[0] for line in lines] == ["entities", "entities", "failures"]
    assert lines[2] == "failures: 1 of 1 only right: ('read', 'k', 'r')"
    assert same.fingerprint(left) != same.fingerprint(same.tables(other))


@pytest.fixture
def store(graph):
    from kgpipe.graph.store import Store

    with Store(graph.uri, graph.user, graph.password) as opened:
        yield opened


def test_graphs_are_compared_by_content(tmp_path, store):
    def loaded(workspace, ada, charles, sentence="Ada and William married."):
        store.write("MATCH (n) DETACH DELETE n")
        store.write(
            """CREATE (:KgpipeWorkspace {uid: $workspace})
            CREATE (e:Evidence {uid: 'r1', fact: $fact, subject: $a, object: $b, score: rand()})
            CREATE (a:Entity:Person {uid: $a, name: 'Ada Lovelace', row: toString(rand())})
            CREATE (b:Entity:Person {uid: $b, name: 'William King'})
            CREATE (a)-[:SPOUSE {uid: $fact, sentence: $sentence}]->(b)""",
            {
                "workspace": workspace.uid,
                "fact": workspace.read("facts", ["uid"]).column(0)[0].as_py(),
                "a": ada,
                "b": charles,
                "sentence": sentence,
            },
        )
        return same.graph(workspace, store)

    first = loaded(built(tmp_path / "a", ada="e1", charles="e2"), "e1", "e2")
    assert {name: rows.total() for name, rows in first.items()} == {"Evidence": 1, "Entity:Person": 2, "SPOUSE": 1}
    other = built(tmp_path / "b", ada="z9", charles="e2")
    assert same.differences(first, loaded(other, "z9", "e2")) == []
    lines = same.differences(first, loaded(other, "z9", "e2", sentence="They did."))
    assert [line.split(": ")[0] for line in lines] == ["SPOUSE", "SPOUSE"]
