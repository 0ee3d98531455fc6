"""After any sequence of changes the graph is that of a fresh build; `kgpipe check` finds and mends what differs."""

import json
import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from kgpipe import cli
from kgpipe import schema as schemas
from kgpipe.config import Config
from kgpipe.evaluate import same
from kgpipe.graph.load import compare, load, repair
from kgpipe.graph.store import Store
from kgpipe.records import Document, Extraction, Mention, Passage, Relation
from kgpipe.resolve import run as resolution
from kgpipe.workspace import Workspace

N_SEQUENCES = int(os.environ.get("SEQUENCES") or (200 if os.environ.get("CI") else 50))
"""A sequence takes about a second; 200 run in CI, and SEQUENCES=2000 is a benchmark."""
SCHEMA = schemas.parse("""
name: sequences
entities:
  Person: {}
  Organization: {}
  Company: {is: Organization}
  Date: {literal: date}
relations:
  FOUNDED: {domain: [Person], range: [Organization], inverse: FOUNDED_BY}
  MARRIED: {domain: [Person], range: [Person], symmetric: true}
  BORN_ON: {domain: [Person], range: [Date], functional: true}
  PART_OF: {domain: [Organization], range: [Organization]}
""")
PEOPLE = ("Steve Jobs", "Jobs", "S. Jobs", "Steven Paul Jobs", "Ada Lovelace", "Ada King", "Lovelace")
COMPANIES = ("IBM", "International Business Machines", "Apple", "Apple Inc.", "Apple Computer")
DATES = ("1955-02-24", "1955", "1815-12-10")
ENDS = {"Person": PEOPLE, "Organization": COMPANIES, "Company": COMPANIES, "Date": DATES}
URIS = tuple(f"file:///{letter}.txt" for letter in "abcd")
PAIRS = (
    ("Steve Jobs", "Steven Paul Jobs"), ("Ada Lovelace", "Ada King"), ("Apple", "Apple Computer"),
    ("IBM", "International Business Machines"), ("Apple", "IBM"),
)  # fmt: skip


@dataclass
class Remaining:
    """What a fresh build is made of: texts by uri, as lists of (subject, relation, object) with types, and decisions."""

    said: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    must_link: set[tuple[str, str]] = field(default_factory=set)
    cannot_link: set[tuple[str, str]] = field(default_factory=set)


def random_lines(rng):
    found = []
    for _ in range(rng.randint(0, 4)):
        relation = rng.choice(list(SCHEMA.relations.values()))
        kinds = [rng.choice(relation.domain), rng.choice(relation.range)]
        found.append((kinds[0], rng.choice(ENDS[kinds[0]]), relation.name, kinds[1], rng.choice(ENDS[kinds[1]])))
    return found


def put(workspace, uri, lines):
    """Replaces a document, its passages of at most two sentences, and their extractions; None only removes it."""
    uid = Document(uri, "").uid
    workspace.delete("documents", "uid", [uid])
    for table in ("passages", "extractions"):
        workspace.delete(table, "document", [uid])
    if lines is None:
        return
    sentences = [f"{s} {r} {o}." for _, s, r, _, o in lines]
    text = " ".join(sentences)
    document = Document(uri, text, language="en")
    workspace.commit("documents", [document], fingerprint=document.version)
    start = 0
    for first in range(0, len(lines), 2):
        said = " ".join(sentences[first : first + 2])
        passage = Passage(document.uid, document.version, start, start + len(said), said)
        mentions, relations, at = [], [], 0
        for (kind, name, relation, end_kind, end), sentence in zip(
            lines[first : first + 2], sentences[first : first + 2], strict=True
        ):
            tail = at + len(sentence) - 1 - len(end)
            value = end if end_kind == "Date" else ""
            places = []
            for mention in (
                Mention(at, at + len(name), kind, 0.9),
                Mention(tail, tail + len(end), end_kind, 0.9, value),
            ):
                if mention not in mentions:
                    mentions.append(mention)
                places.append(mentions.index(mention))
            relations.append(Relation(places[0], relation, places[1], 0.9))
            at += len(sentence) + 1
        workspace.commit("passages", [passage])
        workspace.commit("extractions", [Extraction(passage.uid, "f", document.uid, tuple(mentions), tuple(relations))])
        start += len(said) + 1


def step(rng, workspace, remaining):
    """One random change of the workspace and of what remains; returns its name."""
    what = rng.choice(("add", "change", "add", "delete", "merge", "unmerge", "forbid", "allow"))
    missing = sorted(set(URIS) - set(remaining.said))
    if (what == "add" and missing) or (what == "change" and remaining.said):
        uri = rng.choice(missing if what == "add" else sorted(remaining.said))
        remaining.said[uri] = random_lines(rng)
        put(workspace, uri, remaining.said[uri])
    elif what == "delete" and remaining.said:
        uri = rng.choice(sorted(remaining.said))
        del remaining.said[uri]
        put(workspace, uri, None)
    elif what in ("merge", "forbid"):
        pair = rng.choice(PAIRS)
        (remaining.must_link if what == "merge" else remaining.cannot_link).add(pair)
        (remaining.cannot_link if what == "merge" else remaining.must_link).discard(pair)
    elif what in ("unmerge", "allow"):
        made = remaining.must_link if what == "unmerge" else remaining.cannot_link
        if made:
            made.discard(rng.choice(sorted(made)))
    return what


def resolved(workspace, remaining, folder):
    path = Path(folder) / "decisions.yaml"
    path.write_text(yaml.safe_dump({
        "must_link": [list(p) for p in sorted(remaining.must_link)],
        "cannot_link": [list(p) for p in sorted(remaining.cannot_link)],
    }))  # fmt: skip
    resolution.run(workspace, Config(decisions=str(path)))
    return workspace


def new_workspace(folder):
    workspace = Workspace(folder)
    workspace.set_state("schema", {"name": SCHEMA.name, "json": SCHEMA.to_json()})
    return workspace


def fresh(remaining, folder):
    workspace = new_workspace(folder / "fresh")
    for uri in sorted(remaining.said):
        put(workspace, uri, remaining.said[uri])
    return resolved(workspace, remaining, folder)


@pytest.fixture(scope="module")
def store(neo4j):
    with Store(neo4j.uri, neo4j.user, neo4j.password) as opened:
        yield opened


@pytest.mark.parametrize("block", range(10))
def test_any_sequence_ends_in_the_graph_of_a_fresh_build(store, tmp_path, block):
    """The fresh build that a sequence is compared with is what the next sequence of its block begins with."""
    store.write("MATCH (n) DETACH DELETE n")
    remaining = Remaining()
    workspace = fresh(remaining, tmp_path)
    share = N_SEQUENCES // 10
    for seed in range(block * share, (block + 1) * share):
        rng = random.Random(seed)
        folder = tmp_path / str(seed)
        folder.mkdir()
        steps = []
        for _ in range(rng.choice((1, 1, 2))):  # loads, each after one to four changes
            steps += [step(rng, workspace, remaining) for _ in range(rng.randint(1, 4))]
            load(store, resolved(workspace, remaining, folder))
        changed = same.graph(workspace, store)
        store.write("MATCH (n) DETACH DELETE n")
        expected = fresh(remaining, folder)
        load(store, expected)
        assert not same.differences(changed, same.graph(expected, store)), f"seed {seed}: {steps}"
        assert not same.differences(same.tables(workspace), same.tables(expected)), f"seed {seed}: {steps}"
        workspace = expected


# kgpipe check

SAID = {
    "file:///a.txt": [("Person", "Ada Lovelace", "BORN_ON", "Date", "1815-12-10")],
    "file:///b.txt": [("Person", "Steve Jobs", "FOUNDED", "Company", "Apple")],
}


@pytest.fixture
def loaded(store, tmp_path):
    workspace = fresh(Remaining(dict(SAID)), tmp_path)
    store.write("MATCH (n) DETACH DELETE n")
    load(store, workspace)
    return store, workspace


def check(neo4j, workspace, monkeypatch, *options):
    monkeypatch.setenv("NEO4J_USERNAME", neo4j.user)
    monkeypatch.setenv("NEO4J_PASSWORD", neo4j.password)
    arguments = ["check", "--workspace", str(workspace.path), "--neo4j", neo4j.uri, "--quiet", *options]
    return CliRunner().invoke(cli.app, arguments, catch_exceptions=False)


def test_what_was_loaded_agrees(loaded, neo4j, monkeypatch):
    done = check(neo4j, loaded[1], monkeypatch)
    assert (done.exit_code, done.stdout) == (0, "The graph agrees with the workspace.\n")


def test_what_differs_is_named_and_repaired_alone(loaded, neo4j, monkeypatch):
    store, workspace = loaded
    before = same.graph(workspace, store)
    [[founded]] = store.read("MATCH ()-[r:FOUNDED]->() RETURN r.uid")[1]
    [[ada]] = store.read("MATCH (e:Entity {name: 'Ada Lovelace'}) RETURN e.uid")[1]
    # as many nodes and relationships as before, so that a plain load sees no reason to compare
    store.write("MATCH ()-[r:FOUNDED]->() DELETE r")
    store.write("MATCH (a:Entity {name: 'Steve Jobs'}), (b:Entity {name: 'Apple'}) "
                "CREATE (b)-[:MARRIED {uid: 'x', row: 'y'}]->(a)")  # fmt: skip
    store.write("MATCH (e:Entity {name: 'Ada Lovelace'}) SET e.row = '', e.name = 'Countess'")
    assert sum(load(store, workspace).values()) == 0
    expected = {
        "Entity": {"missing": [], "changed": [ada], "surplus": []},
        "FOUNDED": {"missing": [founded], "changed": [], "surplus": []},
        "MARRIED": {"missing": [], "changed": [], "surplus": ["x"]},
    }
    assert compare(store, workspace) == expected
    done = check(neo4j, workspace, monkeypatch)
    assert done.exit_code == 1
    assert f"FOUNDED: 1 missing (first: {founded})" in done.stdout
    done = check(neo4j, workspace, monkeypatch, "--repair", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {
        "differing": expected,
        "repaired": {
            "nodes_written": 1, "nodes_removed": 0, "relationships_written": 1, "relationships_removed": 1,
        },
        "left": {},
    }  # fmt: skip
    assert not same.differences(before, same.graph(workspace, store))


def test_a_load_killed_half_way_is_repaired_in_one_walk(store, tmp_path, neo4j, monkeypatch):
    workspace = fresh(Remaining(dict(SAID)), tmp_path)
    store.write("MATCH (n) DETACH DELETE n")
    load(store, workspace)
    expected = same.graph(workspace, store)
    store.write("MATCH (n) DETACH DELETE n")
    writes = iter(range(5))

    def dying(self, *arguments, transact=Store.transact, **options):
        if next(writes, None) is None:
            raise KeyboardInterrupt
        return transact(self, *arguments, **options)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Store, "transact", dying)
        patched.setattr("kgpipe.graph.write.BATCH_ROWS", 4)
        load(store, workspace)
    half = same.graph(workspace, store)
    assert half.keys() and same.differences(half, expected)
    read: Counter[str] = Counter()

    def counted(self, text, *arguments, read_=Store.read, **options):
        read[text] += "AS page" in text
        return read_(self, text, *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(Store, "read", counted)
        done = check(neo4j, workspace, monkeypatch, "--repair", "--json")
    assert (done.exit_code, json.loads(done.stdout)["left"]) == (0, {})
    assert max(read.values()) == 2  # once to mend, once to see that what differed no longer does
    assert 1 in read.values()  # what agreed is not read again
    assert not same.differences(same.graph(workspace, store), expected)


def test_what_an_earlier_load_left_open_is_ended(loaded, neo4j, tmp_path):
    """The server may not know that a client is gone: its transaction would keep its locks for ten minutes."""
    store, workspace = loaded
    from neo4j import GraphDatabase

    with GraphDatabase.driver(neo4j.uri, auth=(neo4j.user, neo4j.password)) as driver, driver.session() as session:
        left = session.begin_transaction(metadata={"kgpipe": "write"})
        left.run("MATCH (n) SET n.held = true").consume()
        with driver.session() as other:
            mine = other.begin_transaction()
            assert mine.run("RETURN 1").single()[0] == 1
            began = time.monotonic()
            repair(store, workspace)
            assert time.monotonic() - began < 300
            assert mine.run("RETURN 2").single()[0] == 2  # what is not of kgpipe's goes on
            mine.close()
        with pytest.raises(Exception, match="terminated"):
            left.run("RETURN 1").consume()
        left.close()
    assert store.read("MATCH (n) WHERE n.held RETURN count(n)")[1] == [[0]]


def test_a_workspace_that_went_on_without_its_graph_differs(loaded, neo4j, monkeypatch, tmp_path):
    store, workspace = loaded
    put(workspace, "file:///b.txt", None)
    resolved(workspace, Remaining({"file:///a.txt": SAID["file:///a.txt"]}), tmp_path)
    assert compare(store, workspace)["Document"]["surplus"]
    assert check(neo4j, workspace, monkeypatch, "--repair").exit_code == 0
    assert compare(store, workspace) == {}
