"""A small graph of computing facts, written by hand in the model of the loader."""

import json
from pathlib import Path

import pytest

from kgpipe import schema as schemas
from kgpipe.graph import cypher
from kgpipe.graph.store import Store
from kgpipe.records import content_id

ATTACKS = [
    json.loads(line) for line in (Path(__file__).parent / "attacks.jsonl").read_text(encoding="utf-8").splitlines()
]
ENTITIES = {
    "Ada Lovelace": ("Person", ["Lovelace", "Countess of Lovelace"]),
    "Charles Babbage": ("Person", ["Babbage"]),
    "Lord Byron": ("Person", ["Byron"]),
    "Analytical Engine": ("Machine", []),
    "London": ("Place", []),
    "Kenneth Olsen": ("Person", ["Ken Olsen"]),
    "Harlan Anderson": ("Person", []),
    "Digital Equipment Corporation": ("Company", ["DEC"]),
    "PDP-11": ("Machine", []),
    "VAX": ("Machine", []),
    "Maynard": ("Place", []),
    "Middlesex County": ("Place", []),
    "Compaq": ("Company", []),
    "Dennis Ritchie": ("Person", ["Ritchie"]),
    "Ken Thompson": ("Person", ["Thompson"]),
    "Unix": ("Software", []),
    "C": ("ProgrammingLanguage", []),
    "B": ("ProgrammingLanguage", []),
    "C++": ("ProgrammingLanguage", []),
    "Simula": ("ProgrammingLanguage", []),
    "BCPL": ("ProgrammingLanguage", []),
    "Bjarne Stroustrup": ("Person", []),
    "Martin Richards": ("Person", []),
    "University of Cambridge": ("University", ["Cambridge University"]),
    "Harvard University": ("University", ["Harvard"]),
    "Bell Labs": ("Organization", ["Bell Telephone Laboratories"]),
    "AT&T": ("Company", []),
    "Turing Award": ("Award", ["A.M. Turing Award"]),
    "National Medal of Technology": ("Award", []),
    "Grace Hopper": ("Person", []),
    "COBOL": ("ProgrammingLanguage", []),
    "New York City": ("Place", ["New York"]),
    "Aarhus": ("Place", []),
    "Yale University": ("University", ["Yale"]),
    "Massachusetts Institute of Technology": ("University", ["MIT"]),
    "IBM": ("Company", ["International Business Machines"]),
    "John Backus": ("Person", []),
    "Fortran": ("ProgrammingLanguage", ["FORTRAN"]),
    "Donald Knuth": ("Person", ["Knuth"]),
    "The Art of Computer Programming": ("Work", ["TAOCP"]),
    "Alan Turing": ("Person", ["Turing"]),
    "Alonzo Church": ("Person", []),
    "Princeton University": ("University", ["Princeton"]),
    "Bletchley Park": ("Organization", []),
}
FACTS = [
    ("Ada Lovelace", "BORN_ON", "1815-12-10"),
    ("Ada Lovelace", "DIED_ON", "1852-11-27"),
    ("Ada Lovelace", "BORN_IN", "London"),
    ("Ada Lovelace", "CHILD_OF", "Lord Byron"),
    ("Charles Babbage", "DESIGNED", "Analytical Engine"),
    ("Charles Babbage", "BORN_IN", "London"),
    ("Charles Babbage", "EDUCATED_AT", "University of Cambridge"),
    ("Kenneth Olsen", "FOUNDED", "Digital Equipment Corporation"),
    ("Harlan Anderson", "FOUNDED", "Digital Equipment Corporation"),
    ("Kenneth Olsen", "EDUCATED_AT", "Massachusetts Institute of Technology"),
    ("Digital Equipment Corporation", "DEVELOPED", "PDP-11"),
    ("Digital Equipment Corporation", "DEVELOPED", "VAX"),
    ("Digital Equipment Corporation", "FOUNDED_ON", "1957"),
    ("Digital Equipment Corporation", "LOCATED_IN", "Maynard"),
    ("Maynard", "LOCATED_IN", "Middlesex County"),
    ("Compaq", "ACQUIRED", "Digital Equipment Corporation"),
    ("PDP-11", "RELEASED_ON", "1970"),
    ("Dennis Ritchie", "DESIGNED", "C"),
    ("Dennis Ritchie", "EDUCATED_AT", "Harvard University"),
    ("Dennis Ritchie", "WORKED_FOR", "Bell Labs"),
    ("Dennis Ritchie", "RECEIVED", "Turing Award"),
    ("Dennis Ritchie", "RECEIVED", "National Medal of Technology"),
    ("Ken Thompson", "RECEIVED", "Turing Award"),
    ("Ken Thompson", "DESIGNED", "Unix"),
    ("Ken Thompson", "DESIGNED", "B"),
    ("Ken Thompson", "WORKED_FOR", "Bell Labs"),
    ("Unix", "WRITTEN_IN", "C"),
    ("Unix", "RUNS_ON", "PDP-11"),
    ("Bell Labs", "SUBSIDIARY_OF", "AT&T"),
    ("C", "INFLUENCED_BY", "B"),
    ("B", "INFLUENCED_BY", "BCPL"),
    ("C", "INFLUENCED_BY", "BCPL"),
    ("C++", "INFLUENCED_BY", "C"),
    ("C++", "INFLUENCED_BY", "Simula"),
    ("Bjarne Stroustrup", "DESIGNED", "C++"),
    ("Bjarne Stroustrup", "BORN_IN", "Aarhus"),
    ("Martin Richards", "DESIGNED", "BCPL"),
    ("C", "RELEASED_ON", "1972"),
    ("Grace Hopper", "BORN_ON", "1906-12-09"),
    ("Grace Hopper", "BORN_IN", "New York City"),
    ("Grace Hopper", "EDUCATED_AT", "Yale University"),
    ("Grace Hopper", "DESIGNED", "COBOL"),
    ("Grace Hopper", "RECEIVED", "National Medal of Technology"),
    ("COBOL", "RELEASED_ON", "1959"),
    ("John Backus", "WORKED_FOR", "IBM"),
    ("John Backus", "DESIGNED", "Fortran"),
    ("John Backus", "RECEIVED", "Turing Award"),
    ("IBM", "DEVELOPED", "Fortran"),
    ("IBM", "FOUNDED_ON", "1911"),
    ("Fortran", "RELEASED_ON", "1957"),
    ("Donald Knuth", "AUTHOR_OF", "The Art of Computer Programming"),
    ("Donald Knuth", "RECEIVED", "Turing Award"),
    ("Alan Turing", "BORN_ON", "1912-06-23"),
    ("Alan Turing", "BORN_IN", "London"),
    ("Alan Turing", "DIED_ON", "1954-06-07"),
    ("Alan Turing", "DOCTORAL_ADVISOR", "Alonzo Church"),
    ("Alan Turing", "WORKED_FOR", "Bletchley Park"),
    ("Alan Turing", "EDUCATED_AT", "Princeton University"),
    ("Alan Turing", "EDUCATED_AT", "University of Cambridge"),
]
DOCUMENT = "file:///corpus/notes.txt"


@pytest.fixture(scope="session")
def schema():
    return schemas.load("computing")


def fill(store, schema, entities=None, facts=None):
    """Replaces the graph by these entities, facts and one sentence of evidence a fact, indexed as by the loader."""
    entities, facts = entities or ENTITIES, facts or FACTS
    store.write("MATCH (n) DETACH DELETE n")
    store.write(cypher.CLAIM, {"workspace": "small"})
    store.write(cypher.BEGIN, {"schema": schema.to_json(), "known": [], "names": [], "load": ""})
    for name, text in cypher.constraints_and_indexes(schema).items():
        if "relationship" not in name:
            store.write(text)
    store.write(
        "CREATE (:Document {uid: 'd1', uri: $uri, title: 'Notes'})"
        "<-[:PART_OF]-(:Passage {uid: 'p1', text: $text, start: 0, end: 100})",
        {"uri": DOCUMENT, "text": "Charles Babbage ate toast for breakfast, says a letter of 1841."},
    )
    by_type = {}
    for name, (kind, aliases) in entities.items():
        by_type.setdefault(kind, []).append({"uid": content_id(name), "name": name, "aliases": aliases})
    for kind, rows in by_type.items():
        store.write(
            f"UNWIND $rows AS row CREATE (e:Entity:{':'.join(schema.ancestors(kind))}) SET e = row", {"rows": rows}
        )
    dates = sorted({object_ for *_, object_ in facts if object_ not in entities})
    store.write(
        f"UNWIND $rows AS row CREATE (l:Literal:{schema.literal_types()['date']}) SET l = row",
        {"rows": [{"uid": content_id(date), "text": date} for date in dates]},
    )
    by_relation = {}
    for subject, relation, object_ in facts:
        properties = {
            "uid": content_id(subject, relation, object_), "support": 1, "score": 0.9, "source": DOCUMENT,
            "sentence": f"{subject} {schema.relations[relation].label} {object_}.",
        }  # fmt: skip
        row = {"subject": content_id(subject), "object": content_id(object_), "properties": properties}
        by_relation.setdefault(relation, []).append(row)
    for relation, rows in by_relation.items():
        store.write(
            "UNWIND $rows AS row MATCH (s:Entity {uid: row.subject}), (p:Passage {uid: 'p1'}) "
            "OPTIONAL MATCH (e:Entity {uid: row.object}) OPTIONAL MATCH (l:Literal {uid: row.object}) "
            f"WITH row, s, p, coalesce(e, l) AS o CREATE (s)-[r:{relation}]->(o) SET r = row.properties "
            f"CREATE (v:Evidence {{uid: 'e' + r.uid, fact: r.uid, relation: '{relation}', sentence: r.sentence, start: 0, "
            "end: 20, score: 0.9})-[:IN]->(p)",
            {"rows": rows},
        )
    store.write("CALL db.awaitIndexes(60)")


@pytest.fixture(scope="module")
def store(neo4j, schema):
    """The small graph in the shared server, for tests that only read it."""
    with Store(neo4j.uri, neo4j.user, neo4j.password) as opened:
        fill(opened, schema)
        yield opened


@pytest.fixture(scope="module")
def attacked(neo4j, schema):
    """The small graph with attack strings for names of entities and text of documents."""
    hostile = {
        f"{a['text'][:5000]}".replace("\x00", "").encode("utf-8", "replace").decode(): ("Person", [])
        for a in ATTACKS if a["kind"] == "name"
    }  # fmt: skip
    names = list(hostile)
    with Store(neo4j.uri, neo4j.user, neo4j.password) as opened:
        fill(opened, schema, ENTITIES | hostile, [*FACTS, *((name, "DESIGNED", "Unix") for name in names)])
        texts = [a["text"].encode("utf-8", "replace").decode() for a in ATTACKS if a["kind"] == "document"]
        opened.write(
            "UNWIND range(0, size($texts) - 1) AS i MATCH (d:Document {uri: $uri}) "
            "CREATE (d)<-[:PART_OF]-(:Passage {uid: 'attack' + i, text: $texts[i], start: 0, end: 10})",
            {"texts": texts, "uri": DOCUMENT},
        )
        opened.write("CALL db.awaitIndexes(60)")
        yield opened
