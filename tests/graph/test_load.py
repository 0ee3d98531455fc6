"""The graph is the workspace's tables: after every load, whatever stood there before."""

import os
import signal
import subprocess
import sys
from collections import Counter
from datetime import date

import pytest

from kgpipe import schema as schemas
from kgpipe.config import Config
from kgpipe.errors import SchemaError, StoreError, WorkspaceError
from kgpipe.graph import cypher
from kgpipe.graph import run as stage
from kgpipe.graph.introspect import read_schema
from kgpipe.graph.load import load, parse_date, parse_number, shortened, snapshot_fingerprint
from kgpipe.graph.store import Store
from kgpipe.records import Document, Entity, Evidence, Extraction, Fact, Literal, Mention, Passage, content_id
from kgpipe.workspace import Workspace

SCHEMA = schemas.parse("""
name: test
entities:
  Person: {}
  Organization: {}
  Company: {is: Organization}
  Date: {literal: date}
  Number: {literal: number}
  Text: {literal: text}
relations:
  FOUNDED: {domain: [Person], range: [Organization], inverse: FOUNDED_BY}
  BORN_ON: {domain: [Person], range: [Date]}
  WEIGHS: {range: [Number]}
  SAYS: {range: [Text]}
  PART_OF: {domain: [Organization], range: [Organization]}
  IN: {domain: [Organization], range: [Organization]}
  MENTIONS: {domain: [Person], range: [Person]}
""")
NONE = {"nodes_written": 0, "relationships_written": 0, "nodes_removed": 0, "relationships_removed": 0}

SAYINGS = {
    "file:///jobs.md": [
        ("Person:Steve Jobs", "FOUNDED", "Company:Apple"),
        ("Person:Steve Jobs", "BORN_ON", "Date:1955-02-24"),
        ("Company:Apple", "PART_OF", "Organization:Silicon Valley"),
    ],
    "file:///woz.txt": [
        ("Person:Steve Wozniak", "FOUNDED", "Company:Apple"),
        ("Person:Steve Wozniak", "MENTIONS", "Person:Steve Jobs"),
        ("Company:Apple", "IN", "Organization:Silicon Valley"),
        ("Person:Steve Jobs", "FOUNDED", "Company:Apple"),
    ],
    "file:///nothing.html": [],
}


def write_tables(workspace, sayings, *, schema=SCHEMA, titles=None, duplicates=()):
    """Fills the workspace with documents {uri: [(subject, relation, object)]}, ends written as Type:name."""
    workspace.set_state("schema", {"name": schema.name, "json": schema.to_json()})
    for table in ("documents", "passages", "extractions", "duplicates"):
        for path in workspace.files(table):
            path.unlink()
    documents, passages, extractions, evidence, literals = [], [], [], [], {}
    facts, mentioned, names = {}, {}, {}
    for uri, said in sayings.items():
        lines = [f"{s.partition(':')[2]} {r} {o.partition(':')[2]}" for s, r, o in said]
        text = "\n".join(lines)
        document = Document(uri=uri, text=text, title=(titles or {}).get(uri, ""), language="en")
        documents.append(document)
        if not said:
            continue
        passage = Passage(document.uid, document.version, 0, len(text), text)
        passages.append(passage)
        mentions, at = [], 0
        for line, (subject, relation, object_) in zip(lines, said, strict=True):
            ends = []
            for name, start in ((subject, at), (object_, at + len(line) - len(object_.partition(":")[2]))):
                kind, _, surface = name.partition(":")
                mention = Mention(start, start + len(surface), kind)
                mentions.append(mention)
                if schema.entities[kind].literal:
                    literal = Literal(kind, surface, schema.entities[kind].literal)
                    literals[literal.uid] = literal
                    ends.append((literal.uid, True))
                else:
                    names[content_id(name)] = name
                    mentioned.setdefault(content_id(name), []).append(mention.uid(passage.uid))
                    ends.append((content_id(name), False))
            (head, _), (tail, literal) = ends
            fact = Fact(head, relation, tail, literal, 1, 0.9, line, uri)
            found = Evidence(
                content_id(passage.uid, at), fact.uid, relation, head, tail, document.uid, passage.uid, at,
                at + len(line), line, "hand", 0.9,
            )  # fmt: skip
            evidence.append(found)
            support = sum(e.fact == fact.uid for e in evidence)
            facts[fact.uid] = Fact(head, relation, tail, literal, support, 0.9, line, uri)
            at += len(line) + 1
        extractions.append(Extraction(passage.uid, "f", document.uid, tuple(mentions)))
    workspace.commit("documents", documents)
    workspace.commit("passages", passages)
    workspace.commit("extractions", extractions)
    workspace.commit("duplicates", [{"document": a, "representative": b, "reason": "exact"} for a, b in duplicates])
    entities = [
        Entity(uid, *names[uid].split(":", 1), (names[uid].partition(":")[2].upper(),), tuple(mentioned[uid]))
        for uid in mentioned
    ]
    workspace.snapshot(
        "resolution",
        {
            "entities": entities, "merges": [], "literals": list(literals.values()),
            "facts": list(facts.values()), "evidence": evidence,
        },
        inputs=os.urandom(4).hex(),
    )  # fmt: skip
    return workspace


def content(store):
    """All nodes and edges with their properties, but for the hashes and the marker."""
    nodes = {}
    for node, at in store.read("MATCH (n) WHERE NOT n:KgpipeWorkspace RETURN n, elementId(n)", max_rows=None)[1]:
        properties = {key: str(value) for key, value in node["properties"].items() if key != "row"}
        nodes[at] = (tuple(node["labels"]), tuple(sorted(properties.items())))
    edges = []
    for start, kind, properties, end in store.read(
        "MATCH (a)-[r]->(b) RETURN elementId(a), type(r), properties(r), elementId(b)", max_rows=None
    )[1]:
        properties.pop("row", None)
        edges.append((nodes[start], kind, tuple(sorted((k, str(v)) for k, v in properties.items())), nodes[end]))
    return sorted(nodes.values()), sorted(edges)


def wiped(store):
    store.write("MATCH (n) DETACH DELETE n")
    return store


@pytest.fixture
def store(neo4j):
    """The shared server without nodes; constraints stay, because they take a second each time."""
    with Store(neo4j.uri, neo4j.user, neo4j.password) as opened:
        yield wiped(opened)


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "ws")


def test_the_graph_is_as_the_design_says(graph, store, workspace):
    said = {"file:///a/jobs.md": [("Person:Steve Jobs", "BORN_ON", "Date:1955-02")]}
    write_tables(workspace, {**said, "file:///a/copy.md": []}, titles={"file:///a/jobs.md": "On Jobs"})
    document, copy = Document("file:///a/jobs.md", ""), Document("file:///a/copy.md", "")
    workspace.commit("duplicates", [{"document": copy.uid, "representative": document.uid, "reason": "exact"}])
    written = load(store, workspace)
    text = "Steve Jobs BORN_ON 1955-02"
    passage = Passage(document.uid, content_id("version", text), 0, 26, text)
    literal, entity = Literal("Date", "1955-02", "date"), content_id("Person:Steve Jobs")
    fact = Fact(entity, "BORN_ON", literal.uid, True)
    nodes = {node["properties"]["uid"]: node for [node] in store.read("MATCH (n) WHERE n.row <> '' RETURN n")[1]}
    for node in nodes.values():
        assert len(node["properties"].pop("row")) == 16
    shared = {"language": "en", "time": "", "metadata": "{}", "source": ""}
    assert nodes == {
        document.uid: {"labels": ["Document"], "properties": shared | {
            "uid": document.uid, "uri": "file:///a/jobs.md", "title": "On Jobs", "name": "On Jobs",
            "version": passage.version,
        }},
        copy.uid: {"labels": ["Document"], "properties": shared | {
            "uid": copy.uid, "uri": "file:///a/copy.md", "title": "", "name": "copy.md",
            "version": copy.version, "duplicate_of": document.uid,
        }},
        passage.uid: {"labels": ["Passage"], "properties": {
            "uid": passage.uid, "name": text, "text": text, "start": 0, "end": 26,
        }},
        entity: {"labels": ["Entity", "Person"], "properties": {
            "uid": entity, "type": "Person", "name": "Steve Jobs", "aliases": ["STEVE JOBS"],
        }},
        literal.uid: {"labels": ["Date", "Literal"], "properties": {
            "uid": literal.uid, "type": "Date", "kind": "date", "name": "1955-02", "text": "1955-02",
            "value": "1955-02-01", "precision": "month",
        }},
        content_id(passage.uid, 0): {"labels": ["Evidence"], "properties": {
            "uid": content_id(passage.uid, 0), "name": text, "fact": fact.uid, "relation": "BORN_ON",
            "subject": entity, "object": literal.uid, "start": 0, "end": 26, "sentence": text,
            "extractor": "hand", "score": 0.9, "run": "",
        }},
    }  # fmt: skip
    edges = [edge for edge, _, _ in store.read("MATCH (a)-[r]->(b) RETURN r, a, b ORDER BY type(r)")[1]]
    for edge in edges:
        edge["properties"].pop("row", None)
    assert edges == [
        {"type": "BORN_ON", "start": entity, "end": literal.uid, "properties": {
            "uid": fact.uid, "support": 1, "score": 0.9, "sentence": text, "source": "file:///a/jobs.md",
        }},
        {"type": "IN", "start": content_id(passage.uid, 0), "end": passage.uid, "properties": {}},
        {"type": "MENTIONS", "start": passage.uid, "end": entity, "properties": {
            "uid": content_id("mentions", passage.uid, entity), "count": 1, "spans": ["0:10"],
        }},
        {"type": "PART_OF", "start": passage.uid, "end": document.uid, "properties": {}},
    ]  # fmt: skip
    assert written == NONE | {"nodes_written": 6, "relationships_written": 4}


def test_parents_are_labels_too_and_one_edge_joins_a_passage_and_an_entity(store, workspace):
    load(store, write_tables(workspace, SAYINGS))
    assert store.read(
        "MATCH (n:Organization) UNWIND labels(n) AS l WITH n, l ORDER BY l RETURN n.name, collect(l) ORDER BY n.name"
    )[1] == [
        ["Apple", ["Company", "Entity", "Organization"]],
        ["Silicon Valley", ["Entity", "Organization"]],
    ]
    assert store.read(
        "MATCH (:Document {name: 'woz.txt'})<-[:PART_OF]-(p)-[m:MENTIONS]->(e:Entity) "
        "RETURN e.name, m.count, [s IN m.spans | substring(p.text, toInteger(split(s, ':')[0]), "
        "toInteger(split(s, ':')[1]) - toInteger(split(s, ':')[0]))] ORDER BY e.name"
    )[1] == [
        ["Apple", 3, ["Apple"] * 3],
        ["Silicon Valley", 1, ["Silicon Valley"]],
        ["Steve Jobs", 2, ["Steve Jobs"] * 2],
        ["Steve Wozniak", 2, ["Steve Wozniak"] * 2],
    ]


def test_relations_named_like_our_own_edges_are_facts_between_entities(store, workspace):
    load(store, write_tables(workspace, SAYINGS))
    facts = store.read(
        "MATCH (a:Entity)-[r:PART_OF|IN|MENTIONS]->(b:Entity) RETURN a.name, type(r), b.name ORDER BY type(r)"
    )[1]
    assert facts == [
        ["Apple", "IN", "Silicon Valley"],
        ["Steve Wozniak", "MENTIONS", "Steve Jobs"],
        ["Apple", "PART_OF", "Silicon Valley"],
    ]
    assert load(store, write_tables(workspace, {"file:///jobs.md": SAYINGS["file:///jobs.md"]})) != NONE
    left = Counter((type_, a, b) for type_, a, b in store.read(
        "MATCH (a)-[r:PART_OF|IN|MENTIONS]->(b) RETURN type(r), a.name, b.name"
    )[1])  # fmt: skip
    text = shortened(
        "\n".join(["Steve Jobs FOUNDED Apple", "Steve Jobs BORN_ON 1955-02-24", "Apple PART_OF Silicon Valley"])
    )
    assert left == Counter(
        [
            ("PART_OF", "Apple", "Silicon Valley"),
            ("PART_OF", text, "jobs.md"),
            ("MENTIONS", text, "Steve Jobs"),
            ("MENTIONS", text, "Apple"),
            ("MENTIONS", text, "Silicon Valley"),
            ("IN", "Steve Jobs FOUNDED Apple", text),
            ("IN", "Steve Jobs BORN_ON 1955-02-24", text),
            ("IN", "Apple PART_OF Silicon Valley", text),
        ]
    )


def test_loading_twice_writes_nothing(store, workspace):
    assert load(store, write_tables(workspace, SAYINGS))["nodes_written"] > 0
    before = content(store)
    assert load(store, workspace) == NONE
    write_tables(workspace, SAYINGS)  # new files with the same rows: all is compared, nothing differs
    assert load(store, workspace) == NONE
    assert content(store) == before


def test_a_first_load_reads_nothing_that_stands_there(store, workspace, monkeypatch):
    pages = []

    def noted(self, text, *arguments, read=Store.read, **options):
        if "AS page" in text:
            pages.append(text)
        return read(self, text, *arguments, **options)

    monkeypatch.setattr(Store, "read", noted)
    written = load(store, write_tables(workspace, SAYINGS))
    assert written["nodes_written"] > 0 and pages == []
    removed = load(store, write_tables(workspace, {}))
    assert removed["nodes_removed"] == written["nodes_written"] and pages


def test_what_an_earlier_load_still_writes_before_ours_begins_is_not_written_again(store, workspace, monkeypatch):
    write_tables(workspace, SAYINGS)
    write = Store.write

    def late(self, text, *arguments, **options):
        if text == cypher.BEGIN:
            monkeypatch.setattr(Store, "write", write)
            assert load(store, workspace)["nodes_written"] > 0
        return write(self, text, *arguments, **options)

    monkeypatch.setattr(Store, "write", late)
    assert load(store, workspace) == NONE


def test_an_unchanged_workspace_is_one_query(store, workspace, monkeypatch):
    load(store, write_tables(workspace, SAYINGS))
    queries = []
    monkeypatch.setattr(Store, "_run", lambda *a, run=Store._run: queries.append(a) or run(*a))
    assert load(store, workspace) == NONE
    assert len(queries) == 1


@pytest.mark.parametrize(
    "after",
    [
        {uri: said for uri, said in SAYINGS.items() if uri != "file:///woz.txt"},
        {**SAYINGS, "file:///woz.txt": [("Person:Steve Wozniak", "BORN_ON", "Date:1950-08-11")]},
        {**SAYINGS, "file:///new.md": [("Person:Ron Wayne", "FOUNDED", "Company:Apple")]},
        {},
    ],
    ids=["deleted", "changed", "added", "all deleted"],
)
def test_after_a_change_the_graph_is_as_if_loaded_fresh(store, workspace, after):
    load(store, write_tables(workspace, SAYINGS))
    load(store, write_tables(workspace, after))
    updated = content(store)
    load(wiped(store), workspace)
    assert updated == content(store)


def test_deleting_a_document_takes_what_only_it_said(store, workspace):
    load(store, write_tables(workspace, SAYINGS))
    counts = load(store, write_tables(workspace, {k: v for k, v in SAYINGS.items() if k != "file:///woz.txt"}))
    assert store.read("MATCH (e:Entity) RETURN e.name ORDER BY e.name")[1] == [
        ["Apple"], ["Silicon Valley"], ["Steve Jobs"],
    ]  # fmt: skip
    assert store.read("MATCH (:Person)-[f:FOUNDED]->(:Company) RETURN f.support, f.source")[1] == [
        [1, "file:///jobs.md"]
    ]
    assert counts["nodes_removed"] == 1 + 1 + 4 + 1  # document, passage, evidence, Steve Wozniak


def test_an_entity_that_changes_its_type_changes_its_labels(store, workspace):
    load(store, write_tables(workspace, {"file:///a": [("Person:Ada", "SAYS", "Text:x")]}))
    before = store.read("MATCH (e:Entity) RETURN e.uid, elementId(e)")[1]
    tables = {t: workspace.read(t).to_pylist() for t in ("entities", "merges", "literals", "facts", "evidence")}
    tables["entities"][0]["type"] = "Company"
    workspace.snapshot("resolution", tables, inputs="other")
    assert load(store, workspace) == NONE | {"nodes_written": 1}
    assert store.read("MATCH (e:Entity) RETURN e.uid, elementId(e)")[1] == before
    [[entity]] = store.read("MATCH (e:Entity) RETURN e")[1]
    assert (entity["labels"], entity["properties"]["type"]) == (["Company", "Entity", "Organization"], "Company")


def test_facts_of_a_relation_that_left_the_schema_leave_the_graph(store, workspace):
    load(store, write_tables(workspace, SAYINGS))
    kept = {k: r for k, r in SCHEMA.relations.items() if k not in ("FOUNDED", "MENTIONS")}
    smaller = schemas.Schema("test", "", SCHEMA.entities, kept)
    said = {uri: [s for s in rows if s[1] in kept] for uri, rows in SAYINGS.items()}
    load(store, write_tables(workspace, said, schema=smaller))
    updated = content(store)
    assert not [edge for edge in updated[1] if edge[1] == "FOUNDED"]
    load(wiped(store), workspace)
    assert updated == content(store)


def test_what_was_deleted_by_hand_comes_back(store, workspace):
    load(store, write_tables(workspace, SAYINGS))
    before = content(store)
    store.write("MATCH (e:Entity {name: 'Apple'}) DETACH DELETE e")
    store.write("MATCH (:Passage)-[r:PART_OF]->() DELETE r")
    assert load(store, workspace)["nodes_written"] == 1
    assert content(store) == before
    assert load(store, workspace) == NONE


def test_notes_that_a_user_adds_stay(store, workspace):
    load(store, write_tables(workspace, SAYINGS))
    store.write("MATCH (e:Entity {name: 'Apple'}) CREATE (e)-[:FOUNDED {uid: 'mine'}]->(:Entity {uid: 'mine'})")
    store.write("MATCH (e:Entity {name: 'Apple'}) CREATE (:Note {text: 'look here'})-[:ABOUT]->(e)")
    load(store, write_tables(workspace, {**SAYINGS, "file:///new": [("Person:Ron", "FOUNDED", "Company:Apple")]}))
    assert store.read("MATCH (:Note)-[:ABOUT]->(e)-[:FOUNDED]->(n) RETURN e.name, n.uid")[1] == [["Apple", "mine"]]


class Dying(Store):
    """A store whose process ends before its n-th write."""

    writes_left = 0

    def transact(self, *arguments, **options):
        if self.writes_left == 0:
            raise KeyboardInterrupt
        self.writes_left -= 1
        return super().transact(*arguments, **options)


def test_killed_before_any_write_and_run_again_gives_the_same_graph(graph, store, workspace):
    other = {**SAYINGS, "file:///jobs.md": [("Person:Steve Jobs", "FOUNDED", "Company:NeXT")]}
    load(store, write_tables(workspace, other))
    expected = content(store)
    with Dying(graph.uri, graph.user, graph.password) as dying:
        for n_writes in range(0, 80, 3):
            load(store, write_tables(workspace, SAYINGS))
            write_tables(workspace, other)
            dying.writes_left = n_writes
            try:
                load(dying, workspace)
            except KeyboardInterrupt:
                load(store, workspace)
                assert content(store) == expected
            else:
                break
    assert 10 < n_writes < 78


def test_going_back_after_a_killed_load_is_noticed(graph, store, workspace):
    load(store, write_tables(workspace, SAYINGS))
    expected = content(store)
    tables = {path: path.read_bytes() for path in workspace.path.rglob("*") if path.is_file()}
    times = {path: path.stat() for path in tables}
    write_tables(workspace, {})
    with Dying(graph.uri, graph.user, graph.password) as dying, pytest.raises(KeyboardInterrupt):
        dying.writes_left = 5
        load(dying, workspace)
    for path in [p for p in workspace.path.rglob("*") if p.is_file() and p not in tables]:
        path.unlink()
    for path, data in tables.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, ns=(times[path].st_atime_ns, times[path].st_mtime_ns))
    assert load(store, workspace) != NONE
    assert content(store) == expected


def test_a_killed_process_is_mended_by_the_next_load(graph, store, workspace):
    many = {
        f"file:///{i}": [(f"Person:P{i} {j}", "FOUNDED", f"Company:C{i % 7} {j}") for j in range(10)] for i in range(50)
    }
    write_tables(workspace, many)
    code = (
        "import sys; from kgpipe.graph import load as m; from kgpipe.graph.store import Store\n"
        "from kgpipe.graph import write; write.BATCH_ROWS = 100; uri, user, password, path = sys.argv[1:]\n"
        "from kgpipe.workspace import Workspace\n"
        "m.load(Store(uri, user, password), Workspace(path), progress=lambda *a: print(*a, flush=True))\n"
    )
    command = [sys.executable, "-c", code, graph.uri, graph.user, graph.password, str(workspace.path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if line.startswith("load graph") and int(line.split()[2]) > 700:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    n_nodes = store.read("MATCH (n) RETURN count(n)")[1][0][0]
    assert n_nodes > 300
    load(store, workspace)
    mended = content(store)
    load(wiped(store), workspace)
    assert mended == content(store)


HOSTILE = {
    "backticks": "`) DETACH DELETE (n",
    "quotes": """'"\\'; MATCH (n) DETACH DELETE n //""",
    "newline": "two\nlines\r\n\tand a tab",
    "escapes": "\\u0060 \\u0027 \\n",
    "braces": "$rows {uid: 'x'} ${x} %s {0}",
    "right to left": "\u202eشركة‎ אפל",
    "emoji": "👩‍👩‍👧‍👦 𝕏",
    "null": "a\x00b",
    "long": "n" * 10_000,
    "combining": "e\u0301" * 3,
    "blank": " ",
}
FRAGMENTS = (
    "`", "``) DETACH DELETE n //", "'", '"', "\\", "\\\\'", "\\u0060", "//", "/* */", ";", "$rows", "{uid: 'x'}", "MATCH (n) DETACH DELETE n",
    "' OR 1=1 WITH 1 AS x CALL db.labels() YIELD label //", "\n", "\r\n", "\t", "\x00", "\x1f", "\x7f", "\u2028", "\ufeff", "\u200b",
    "\u202e", "\u2066", "\u05d0\u05e4\u05dc", "\u0634\u0631\u0643\u0629", "\u0410da", "\uff21da", "e\u0301", "\u00e9", "\u212b", "\ufb01", "\u0130",
    "\U0001d54f", "\U0001f469\u200d\U0001f467", "\ufffe", "\ufffd", "NaN", "null", "true", "-1", "1e999", "__proto__",
)  # fmt: skip
"""Cypher and what ends or escapes its parts, controls, look-alikes, other directions, other planes, words of formats."""
HOSTILE |= {
    f"{number} {how}": shape.format(fragment)
    for number, fragment in enumerate(FRAGMENTS)
    for how, shape in (
        ("alone", "{}"),
        ("before", "{} Ada"),
        ("after", "Ada {}"),
        ("within", "A{}da"),
        ("twice", "{0}{0}"),
    )
}


def test_hostile_names_come_back_as_they_are(store, workspace):
    assert len(set(HOSTILE.values())) == len(HOSTILE) > 200
    said = {f"file:///{name}": [(f"Person:{text}", "SAYS", f"Text:{text}")] for name, text in HOSTILE.items()}
    load(store, write_tables(workspace, said, titles={uri: HOSTILE[uri.removeprefix("file:///")] for uri in said}))
    for query in (
        "MATCH (n:Entity:Person) RETURN n.name",
        "MATCH (n:Literal:Text) RETURN n.value",
        "MATCH (n:Document) RETURN n.title",
    ):
        assert sorted(row[0] for row in store.read(query)[1]) == sorted(HOSTILE.values())
    facts = store.read("MATCH (a:Person)-[r:SAYS]->(b:Text) RETURN a.name, r.sentence, b.text")[1]
    assert all(a == b and sentence == f"{a} SAYS {b}" for a, sentence, b in facts)
    assert len(facts) == len(HOSTILE)
    assert load(store, workspace) == NONE


def test_literals_have_values_that_compare(store, workspace):
    values = {
        "Date": ["1815-12-10", "1943-05", "1943", "194X", "1943-02-30", "0000"],
        "Number": ["30", "30 t", "-2.5 degrees C", "1e999", "many"],
        "Text": ["x"],
    }
    relation = {"Date": "BORN_ON", "Number": "WEIGHS", "Text": "SAYS"}
    said = [("Person:Ada", relation[kind], f"{kind}:{v}") for kind, found in values.items() for v in found]
    load(store, write_tables(workspace, {"file:///a": said}))
    found = store.read("MATCH (l:Literal) RETURN l.kind, l.text, l.value, l.precision, l.unit, valueType(l.value)")[1]
    assert sorted(found, key=str) == sorted(
        [
            ["date", "1815-12-10", "1815-12-10", "day", None, "DATE NOT NULL"],
            ["date", "1943-05", "1943-05-01", "month", None, "DATE NOT NULL"],
            ["date", "1943", "1943-01-01", "year", None, "DATE NOT NULL"],
            ["date", "194X", "1940-01-01", "decade", None, "DATE NOT NULL"],
            ["date", "1943-02-30", "1943-02-30", "text", None, "STRING NOT NULL"],
            ["date", "0000", "0000", "text", None, "STRING NOT NULL"],
            ["number", "30", 30.0, None, None, "FLOAT NOT NULL"],
            ["number", "30 t", 30.0, None, "t", "FLOAT NOT NULL"],
            ["number", "-2.5 degrees C", -2.5, None, "degrees C", "FLOAT NOT NULL"],
            ["number", "1e999", "1e999", None, None, "STRING NOT NULL"],
            ["number", "many", "many", None, None, "STRING NOT NULL"],
            ["text", "x", "x", None, None, "STRING NOT NULL"],
        ],
        key=str,
    )


def test_a_database_of_another_workspace_is_refused_before_the_first_write(store, workspace, tmp_path):
    load(store, write_tables(workspace, SAYINGS))
    before = content(store)
    other = write_tables(Workspace(tmp_path / "other"), {})
    with pytest.raises(StoreError, match=f"belongs to another workspace.*{other.uid}.*Name an empty database"):
        load(store, other)
    assert content(store) == before


def test_a_database_with_other_data_is_refused_before_the_first_write(graph, store, workspace):
    store.write("CREATE (:Customer {name: 'precious'})")
    with pytest.raises(StoreError, match="holds 1 nodes that kgpipe did not write.*Name an empty database"):
        load(store, write_tables(workspace, SAYINGS))
    assert store.read("MATCH (n) RETURN labels(n)")[1] == [[["Customer"]]]
    assert store.read("SHOW CONSTRAINTS YIELD name RETURN name")[1] == []


def test_tables_that_do_not_fit_together_write_nothing(store, workspace):
    write_tables(workspace, SAYINGS)
    workspace.delete("passages", "document", [Document("file:///woz.txt", "").uid])
    with pytest.raises(WorkspaceError, match='rows of the table evidence in .* "passage" that is not there.*build'):
        load(store, workspace)
    assert content(store) == ([], [])


def test_a_type_that_the_schema_does_not_know_is_named(store, workspace):
    write_tables(workspace, SAYINGS)
    smaller = schemas.Schema("small", "", SCHEMA.entities, {"BORN_ON": SCHEMA.relations["BORN_ON"]})
    workspace.set_state("schema", {"name": "small", "json": smaller.to_json()})
    with pytest.raises(SchemaError, match='Unknown relation type "FOUNDED" in the table facts .*known.*BORN_ON'):
        load(store, workspace)


def test_a_workspace_without_documents_is_an_empty_graph(store, workspace):
    assert load(store, write_tables(workspace, {})) == NONE
    assert content(store) == ([], [])


def test_the_stage_loads_into_the_configured_server(graph, store, workspace):
    seen = []
    config = Config(neo4j=graph.uri, neo4j_user=graph.user, neo4j_password=graph.password)
    counts = stage.run(write_tables(workspace, SAYINGS), config, progress=lambda *a: seen.append(a))
    assert counts["relationships_written"] == len(content(store)[1])
    assert seen[-1][1] == seen[-1][2] > 0


def test_full_text_finds_entities_by_name_and_alias_and_passages_by_word(store, workspace):
    load(store, write_tables(workspace, SAYINGS))
    query = "CALL db.index.fulltext.queryNodes($index, $text) YIELD node RETURN DISTINCT node.name ORDER BY node.name"
    assert store.read(query, {"index": "kgpipe_entities", "text": "WOZNIAK"})[1] == [["Steve Wozniak"]]
    assert len(store.read(query, {"index": "kgpipe_passages", "text": "Silicon"})[1]) == 2


def test_the_schema_can_be_read_from_our_own_graph(store, workspace):
    load(store, write_tables(workspace, SAYINGS))
    assert read_schema(store) == SCHEMA


def test_the_fingerprint_changes_with_tables_and_schema(workspace):
    write_tables(workspace, SAYINGS)
    first = snapshot_fingerprint(workspace, SCHEMA)
    assert first == snapshot_fingerprint(workspace, SCHEMA)
    workspace.commit("documents", [Document("file:///new", "x")])
    second = snapshot_fingerprint(workspace, SCHEMA)
    third = snapshot_fingerprint(workspace, schemas.Schema("test", "", SCHEMA.entities, {}))
    assert len({first, second, third}) == 3


def test_values_of_literals():
    assert parse_date("1815-12-10") == (date(1815, 12, 10), "day")
    assert parse_date("194X") == (date(1940, 1, 1), "decade")
    assert [parse_date(t) for t in ("", "1815-13", "x1815", "18151", "١٩٤٣")] == [None] * 5
    assert parse_number("1e3 km/h") == (1000.0, "km/h")
    assert [parse_number(t) for t in ("", "nan", "inf t", "t 30")] == [None] * 4


def test_captions_are_one_short_line():
    assert shortened(" two\n lines ") == "two lines"
    assert shortened("长" * 100) == "长" * 59 + "…"
