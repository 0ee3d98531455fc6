"""Names in questions: those of several things, misspelt ones, plurals, and dates as people write them."""

import pytest

from kgpipe.graph.store import Store
from kgpipe.query.answer import ask
from kgpipe.query.link import mistakes
from kgpipe.records import content_id
from tests.query.conftest import ENTITIES, FACTS, fill


@pytest.fixture(scope="module")
def namesakes(neo4j, schema):
    """The small graph with a town and a college called Cambridge, and a second Ken Thompson, who designed Simula."""
    entities = ENTITIES | {"Cambridge": ("Place", []), "Joan Engel": ("Person", []), "Kurt Engel": ("Person", [])}
    entities["University of Cambridge"] = ("University", ["Cambridge University", "Cambridge"])
    facts = [*FACTS, ("Dennis Ritchie", "BORN_IN", "Cambridge"), ("Joan Engel", "BORN_IN", "Aarhus"),
             ("Kurt Engel", "BORN_IN", "London")]  # fmt: skip
    with Store(neo4j.uri, neo4j.user, neo4j.password) as store:
        fill(store, schema, entities, facts)
        store.write(
            "MATCH (s:Entity {uid: $simula}), (l:Entity {uid: $london}), (n:Entity {uid: $aarhus}), (k:Entity {uid: $ken}) "
            "CREATE (t:Entity:Person {uid: 'second', name: 'Ken Thompson', aliases: []})-[:DESIGNED {uid: 'd', support: 1, "
            "score: 0.9, sentence: 'Ken Thompson designed Simula.', source: 'x'}]->(s), (t)-[:BORN_IN {uid: 'b', support: 1, "
            "score: 0.9, sentence: 'Born in London.', source: 'x'}]->(l), (k)-[:BORN_IN {uid: 'c', support: 1, score: 0.9, "
            "sentence: 'Born in Aarhus.', source: 'x'}]->(n)",
            {"simula": content_id("Simula"), "london": content_id("London"), "aarhus": content_id("Aarhus"),
             "ken": content_id("Ken Thompson")},
        )  # fmt: skip
        store.write("CALL db.awaitIndexes(60)")
        yield store


def test_a_name_of_two_gives_the_answers_of_each(namesakes, schema):
    found = ask("Where was Ken Thompson born?", namesakes, schema)
    told = {line.rpartition(": ")[0]: line.rpartition(": ")[2] for line in found.text.splitlines()}
    assert sorted(told.values()) == ["Aarhus.", "London."]
    assert all(call.startswith("Ken Thompson (person) (") for call in told), told
    assert found.columns == ("answer", "reading")
    assert namesakes.read(found.cypher, found.params)[1] == [list(row) for row in found.answers]
    assert {f["object"] for f in found.facts} == {"Aarhus", "London"}
    only = ask("Where was Ken Thompson born?", namesakes, schema, meant=frozenset({"second"}))
    assert only.answers == (("London",),)


def test_counts_and_yes_or_no_of_each(namesakes, schema):
    found = ask("How many languages did Ken Thompson design?", namesakes, schema)
    assert [row[0] for row in found.answers] == [1, 1], found.candidates
    assert sorted(line.rpartition(": ")[2] for line in found.text.splitlines()) == ["B.", "Simula."]
    found = ask("Was Ken Thompson born in Aarhus?", namesakes, schema)
    assert sorted(row[0] for row in found.answers) == [False, True]
    assert sorted(line.rpartition(": ")[2] for line in found.text.splitlines()) == [
        "Yes.",
        "the graph holds no such fact.",
    ]


def test_a_family_name_of_several(namesakes, schema):
    found = ask("Where was Engel born?", namesakes, schema)
    assert sorted(found.text.splitlines()) == ["Joan Engel: Aarhus.", "Kurt Engel: London."]
    assert found.columns == ("answer", "reading")


@pytest.mark.parametrize(
    ("question", "answers", "note"),
    [
        ("Who was born in Cambridge?", {"Dennis Ritchie"}, "Cambridge"),
        ("Who studied at Cambridge?", {"Alan Turing", "Charles Babbage"}, "University of Cambridge"),
    ],
)
def test_what_the_question_asks_decides_which_is_meant(namesakes, schema, question, answers, note):
    found = ask(question, namesakes, schema)
    assert {row[0] for row in found.answers} == answers
    assert found.notes == (f'"Cambridge" read as {note}',)


@pytest.mark.parametrize(
    ("text", "name", "wrong"),
    [
        ("Analitical Engine", "Analytical Engine", (1, 0)),
        ("Lovlace", "Ada Lovelace", (1, 1)),
        ("Ada Lovlace", "Ada Lovelace", (1, 0)),
        ("Lovelase", "Ada Lovelace", (1, 1)),
        ("Linus Torvald", "Linus Torvalds", (1, 0)),
        ("Ada Lovelace", "Ada Lovelace", None),
        ("France", "Frances", None),
        ("PDP-11", "PDP-10", None),
        ("Hopper", "Copper", None),
        ("Ritchie", "Ritter", None),
        ("Grace Hopper", "Grace Kelly", None),
    ],
)
def test_mistakes(text, name, wrong):
    assert mistakes(text, name) == wrong


@pytest.mark.parametrize(
    ("question", "answers", "note"),
    [
        ("Who designed the Analitical Engine?", ["Charles Babbage"], '"Analitical Engine" read as Analytical Engine'),
        ("Where was Ada Lovlace born?", ["London"], '"Ada Lovlace" read as Ada Lovelace'),
        ("When did Lovlace die?", ["1852-11-27"], '"Lovlace" read as Ada Lovelace'),
        ("where was grace hoper born?", ["New York City"], '"grace hoper" read as Grace Hopper'),
        ("Did Jon Backus work for IBM?", None, None),
        ("Who designed Fortrann?", None, None),
    ],
)
def test_a_small_mistake_is_read_as_the_name_and_said(store, schema, question, answers, note):
    found = ask(question, store, schema)
    if answers is None:  # too little to tell
        assert found.notes == () and found.source != "graph"
    else:
        assert ([row[0] for row in found.answers], found.notes) == (answers, (note,))


def test_mistakes_in_questions_about_one_or_two_things(store, schema):
    found = ask("What do we know about Charles Babage?", store, schema)
    assert (found.text.splitlines()[0], found.notes) == (
        "Charles Babbage (person):",
        ('"Charles Babage" read as Charles Babbage',),
    )
    found = ask("How are Ada Lovlace and Charles Babage connected?", store, schema)
    assert found.text.startswith("Ada Lovelace and Charles Babbage: 1 shortest path of 2 facts.")
    assert len(found.notes) == 2


@pytest.mark.parametrize(
    "question",
    [
        "Who was born on 10 December 1815?", "Who was born on December 10th, 1815?", "Who was born in December 1815?",
        "Who was born on 1815-12-10?", "Who was born on 12/10/1815?", "Who was born on 10/12/1815?", "Who was born in 1815?",
    ],
)  # fmt: skip
def test_dates_in_every_form(store, schema, question):
    assert ask(question, store, schema).answers == (("Ada Lovelace",),)


def test_a_date_that_is_two_gives_the_answers_of_each(store, schema):
    store.write(
        "MATCH (a:Entity {uid: $byron}) CREATE (a)-[:BORN_ON {uid: 'z', support: 1, score: 0.9, sentence: 'x', source: 'x'}]->"
        "(:Literal:Date {uid: 'zz', text: '1815-10-12'})",
        {"byron": content_id("Lord Byron")},
    )
    try:
        found = ask("Who was born on 12/10/1815?", store, schema)
        assert sorted(found.text.splitlines()) == ["1815-10-12: Lord Byron.", "1815-12-10: Ada Lovelace."]
        found = ask("Was Lord Byron born before 12/10/1815?", store, schema)
        assert sorted(found.text.splitlines()) == ["1815-10-12: No: the graph holds no such fact.", "1815-12-10: Yes."]
    finally:
        store.write("MATCH (l:Literal {uid: 'zz'}) DETACH DELETE l")


def test_a_plural_names_the_one(store, schema):
    found = ask("Who won Turing Awards?", store, schema)
    assert {row[0] for row in found.answers} == {"Dennis Ritchie", "Donald Knuth", "John Backus", "Ken Thompson"}
