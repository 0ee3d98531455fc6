"""A small graph of computing facts, written by hand in the model of the loader."""

import pytest

from kgpipe import schema as schemas
from kgpipe.graph import cypher
from kgpipe.graph.store import Store
from kgpipe.records import content_id

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
DATES = {"1815-12-10", "1852-11-27", "1957", "1970", "1912-06-23", "1954-06-07", "1972", "1906-12-09", "1959", "1911"}
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
    """Writes entities, facts and one sentence of evidence a fact, with the constraints and indexes of the loader."""
    entities, facts = entities or ENTITIES, facts or FACTS
    for text in cypher.constraints_and_indexes(schema).values():
        store.write(text)
    store.write(
        "MERGE (d:Document {uid: 'd1', uri: $uri, title: 'Notes'}) "
        "MERGE (p:Passage {uid: 'p1', text: $text, start: 0, end: 100})-[:PART_OF]->(d)",
        {"uri": DOCUMENT, "text": "Charles Babbage ate toast for breakfast, says a letter of 1841."},
    )
    for name, (kind, aliases) in entities.items():
        labels = ":".join(schema.ancestors(kind))
        store.write(
            f"MERGE (e:Entity:{labels} {{uid: $uid}}) SET e.name = $name, e.aliases = $aliases",
            {"uid": content_id(name), "name": name, "aliases": aliases},
        )
    for subject, relation, object_ in facts:
        sentence = f"{subject} {schema.relations[relation].label} {object_}."
        if object_ not in entities:
            date = schema.literal_types()["date"]
            store.write(
                f"MERGE (l:Literal:{date} {{uid: $uid}}) SET l.text = $text",
                {"uid": content_id(object_), "text": object_},
            )
        target = "Entity" if object_ in entities else "Literal"
        store.write(
            f"MATCH (s:Entity {{uid: $s}}), (o:{target} {{uid: $o}}), (p:Passage {{uid: 'p1'}}) "
            f"MERGE (s)-[r:{relation} {{uid: $uid}}]->(o) SET r += {{support: 1, score: 0.9, sentence: $sentence, source: $uri}} "
            "MERGE (e:Evidence {uid: 'e' + $uid}) SET e += {fact: $uid, relation: $relation, sentence: $sentence, start: 0, "
            "end: 20, score: 0.9} MERGE (e)-[:IN]->(p)",
            {
                "s": content_id(subject), "o": content_id(object_), "uid": content_id(subject, relation, object_),
                "sentence": sentence, "uri": DOCUMENT, "relation": relation,
            },
        )  # fmt: skip
    store.write("CALL db.awaitIndexes(60)")


@pytest.fixture
def store(graph, schema):
    """The small graph in the shared server."""
    with Store(graph.uri, graph.user, graph.password) as opened:
        fill(opened, schema)
        yield opened
