"""Events with two parts to play, things that are taken up again, and times of the day, in questions over a graph of others."""

import math
from dataclasses import replace

import pytest

from kgpipe.graph.introspect import read_schema
from kgpipe.graph.store import Store
from kgpipe.models.embed import load_embedder
from kgpipe.query.catalog import SOURCE, TARGET, Catalog
from kgpipe.query.property_graph import PropertyGraph
from kgpipe.query.trees import Search
from kgpipe.query.trees import asked as trees_of
from kgpipe.query.values import Values

CALLS = """
UNWIND range(0, 59) AS n
CREATE (p:Person {name: ['Ada', 'Bert', 'Cora', 'Dirk', 'Edda', 'Finn'][n % 6] + toString(n / 6)}),
       (p)-[:HAS_PHONE]->(:Phone {number: '555-' + toString(1000 + n)})
WITH collect(p) AS people
UNWIND range(0, 59) AS n
WITH people[n] AS a, people[(n * 7 + 1) % 60] AS b, n
MATCH (a)-[:HAS_PHONE]->(x), (b)-[:HAS_PHONE]->(y)
CREATE (c:Call {time: right('0' + toString(n % 24), 2) + ':15'}), (c)-[:CALLER]->(x), (c)-[:CALLED]->(y)
WITH collect(a) AS people
UNWIND range(0, 57) AS n
WITH people[n] AS a, people[n + 1] AS b
CREATE (a)-[:FRIEND_OF]->(b)
"""
MAIL = """
UNWIND range(0, 9) AS n
CREATE (:Person {name: 'P' + toString(n)})-[:SENT]->(m:Message {subject: 'S' + toString(n)})
CREATE (:Person {name: 'Q' + toString(n)})-[:RECEIVED]->(m)
"""


def catalog(graph, data):
    with Store(graph.uri, graph.user, graph.password) as store:
        store.write(data)
        return Catalog(read_schema(store), store, load_embedder())


def parts(found):
    return {(found.links[i].relation, event, part) for i, (event, part) in found.parts.items()}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (CALLS, {("CALLER", "Call", SOURCE), ("CALLED", "Call", TARGET)}),
        (MAIL, {("SENT", "Message", SOURCE), ("RECEIVED", "Message", TARGET)}),
        ("CREATE (:Person {name: 'A'})-[:DIRECTED]->(:Film {title: 'F'})<-[:ACTED_IN]-(:Person {name: 'B'})", set()),
        ("CREATE (:Person {name: 'A'})-[:WORKS_FOR]->(:Company {name: 'F'})<-[:FOUNDED]-(:Person {name: 'B'})", set()),
        ("CREATE (:Person {name: 'A'})-[:MADE]->(:Film {title: 'F'})<-[:REVIEWED]-(:Person {name: 'B'})", set()),
        ("CREATE (:Person {name: 'A'})<-[:DIRECTOR]-(:Film {title: 'F'})-[:STARRED]->(:Person {name: 'B'})", set()),
        (
            "CREATE (:Flight {code: 'A1'})-[:FROM]->(:Airport {code: 'X'}) WITH 1 AS x MATCH (f:Flight) "
            "CREATE (f)-[:TO]->(:Airport {code: 'Y'})",
            {("FROM", "Flight", SOURCE), ("TO", "Flight", TARGET)},
        ),
        ("CREATE (:A {name: 'a'})-[:`→`]->(:B {name: 'b'})", set()),
    ],
)
def test_events_are_known_by_two_opposed_relations(graph, data, expected):
    assert parts(catalog(graph, data)) == expected


def test_links_that_join_one_at_most(graph):
    found = catalog(graph, CALLS)
    single = {(found.links[i].relation, forward) for i, forward in found.single}
    assert {("CALLER", True), ("CALLED", True), ("HAS_PHONE", True), ("HAS_PHONE", False)} <= single
    more = catalog(graph, "MATCH (p:Person {name: 'Ada0'}) CREATE (p)-[:HAS_PHONE]->(:Phone {number: '555-9999'})")
    single = {(more.links[i].relation, forward) for i, forward in more.single}
    assert ("HAS_PHONE", True) not in single
    assert ("HAS_PHONE", False) in single


@pytest.fixture
def people(graph):
    with Store(graph.uri, graph.user, graph.password) as store:
        store.write(CALLS)
        said = {"HAS_PHONE": ("owns", "owned by"), "CALLER": ("made from", "made"), "CALLED": ("made to", "received")}
        schema = read_schema(store)
        relations = {
            name: replace(r, description=said[name][0], inverse=said[name][1]) if name in said else r
            for name, r in schema.relations.items()
        }  # fmt: skip
        yield PropertyGraph(store, schema=replace(schema, relations=relations), most_nodes=5)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Which phones called 555-1008?", {"phones": SOURCE, "555-1008": TARGET}),
        ("Which phones were called from 555-1008?", {"phones": TARGET, "555-1008": SOURCE}),
        ("Who rang Bert1?", {"who": SOURCE, "bert1": TARGET}),
        ("Who was rung up by Bert1?", {"who": TARGET, "bert1": SOURCE}),
        ("How many calls went from the phone of Ada0 to the phone of Bert0?", {"phone": (SOURCE, TARGET)}),
        ("Who received calls from 555-1008?", {"who": TARGET, "555-1008": SOURCE}),
        ("Who is friends with the person whose phone was used to call 555-1008?",
         {"person": SOURCE, "phone": SOURCE, "555-1008": TARGET}),
        ("Who is a friend of the person called Ada0?", {}),
        ("Who is a friend of the person who is called Ada0?", {}),
        ("Which phone was used to receive calls from 555-1008?", {"phone": TARGET, "555-1008": SOURCE}),
        ("Who called the number that 555-1001 made calls to?", {"who": SOURCE}),
        ("Who placed calls at 07:15?", {"who": SOURCE}),
        ("At what time was a friend of Ada0 called?", {"friend": TARGET}),
    ],
)  # fmt: skip
def test_the_part_that_a_thing_plays(people, question, expected):
    text, matches = people.read(question)
    made = trees_of(text, matches, people.catalog)
    search = Search(made, people.catalog)
    starts = [made.words[math.ceil(m.start)].lower for m in search.mentions]
    found = [(word, search.parts.get("Call", {}).get(x, 0)) for x, word in enumerate(starts)]
    for word, part in expected.items():
        assert [p for w, p in found if w == word] == (list(part) if isinstance(part, tuple) else [part])
    if not expected:
        assert not made.parts


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("Who called 555-1008?", {"Bert0"}),
        ("Who was called from 555-1001?", {"Cora1"}),
        ("Which phone number did Bert0 call?", {"555-1008"}),
        ("From which number was Cora1 called?", {"555-1001"}),
        ("Who called Cora1 at 1:15 AM?", {"Bert0"}),
    ],
)
def test_who_called_and_who_was_called(people, question, answers):
    found = people.ask(question)
    assert {str(row[0]) for row in found.answers} == answers, found.understood


@pytest.mark.parametrize(
    ("question", "takes_up"),
    [
        ("Somebody rang Cora1. Who is a friend of that person?", {"person": "somebody"}),
        ("Some people rang Cora1. What are the numbers of their friends?", {"their": "people"}),
        ("A friend of Ada0 made calls. At what times were those calls?", {"calls": "calls"}),
        ("Who is a friend of somebody that rang Cora1?", {}),
    ],
)
def test_what_is_taken_up_of_a_sentence_before(people, question, takes_up):
    text, matches = people.read(question)
    made = trees_of(text, matches, people.catalog)
    search = Search(made, people.catalog)
    said = [made.words[math.ceil(m.start)].lower for m in search.mentions]
    assert {said[x]: said[y] for x, y in enumerate(search.meant) if x != y} == takes_up


@pytest.mark.parametrize("time", ["13:15", "1:15 PM", "1:15 p.m.", "1.15pm", "13:15:00"])
def test_times_of_the_day(people, time):
    assert {(m.key, m.value) for m in people.values.find(f"Who called at {time}?")} == {("time", "13:15")}


def test_seconds_are_told_apart(graph, tmp_path):
    with Store(graph.uri, graph.user, graph.password) as store:
        store.write("UNWIND ['13:15:10', '13:15:45', '13:15:00'] AS t CREATE (:Call {at: t})")
        values = Values(Catalog(read_schema(store), store, load_embedder()), store, tmp_path / "values.sqlite")
        for said, value in (("13:15:45", "13:15:45"), ("1:15:10 PM", "13:15:10"), ("13:15", "13:15:00")):
            assert {m.value for m in values.find(f"What happened at {said}?")} == {value}
        assert not values.find("What happened at 13:15:99?")
        values.close()


def test_an_index_of_another_version_is_made_anew(graph, tmp_path):
    with Store(graph.uri, graph.user, graph.password) as store:
        store.write("CREATE (:Call {at: '13:15'})")
        catalog, path = Catalog(read_schema(store), store, load_embedder()), tmp_path / "values.sqlite"
        old = Values(catalog, store, path)
        old._db.execute("DELETE FROM spelled")
        old._db.execute("PRAGMA user_version = 0")
        old._db.commit()
        old.close()
        new = Values(catalog, store, path)
        assert [m.value for m in new.find("Which call was at 1:15 PM?")] == ["13:15"]
        new.close()


def test_no_time_of_the_day(people):
    assert not people.values.find("Who called at 25:15 or 13:75 PM?")
