"""What connects two things, and everything about one: reading the question, paths, citations, ambiguous names."""

import pytest

from kgpipe.query.answer import about_what, ask, lines
from kgpipe.query.connect import ends
from kgpipe.records import content_id


@pytest.mark.parametrize(
    ("question", "pairs", "whether"),
    [
        ("How are Ada Lovelace and Charles Babbage connected?", [("Ada Lovelace", "Charles Babbage")], False),
        ("how were A and B related to each other", [("A", "B")], False),
        ("How is A related to B?", [("A", "B")], False),
        ("What connects A and B?", [("A", "B")], False),
        ("what links A with B", [("A", "B")], False),
        ("Is there a connection between A and B?", [("A", "B")], True),
        ("Are A and B linked?", [("A", "B")], True),
        ("Is A connected to B?", [("A", "B")], True),
        ("What is the link between A and B?", [("A", "B")], False),
        ("Show me the shortest path from A to B", [("A", "B")], False),
        ("What is the relationship between Research and Development and X?",
         [("Research", "Development and X"), ("Research and Development", "X")], False),
    ],
)  # fmt: skip
def test_questions_about_a_connection(question, pairs, whether):
    found = ends(question)
    assert (list(found.pairs), found.whether) == (pairs, whether)


@pytest.mark.parametrize(
    "question",
    ["Who designed C?", "Is Unix written in C?", "How many links are there?", "What is C++ influenced by?", "", "?!",
     "Is there a university in London?", "How are you?", "connected"],
)  # fmt: skip
def test_other_questions_are_not(question):
    assert ends(question) is None


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("What do we know about Ada Lovelace?", "Ada Lovelace"),
        ("Tell me about the ENIAC.", "the ENIAC"),
        ("who is Ken Thompson", "Ken Thompson"),
        ("What was the EDVAC?", "the EDVAC"),
        ("describe C++", "C++"),
        ("Grace Hopper", "Grace Hopper"),
        ("Give me all facts about IBM", "IBM"),
        ("What did Grace Hopper do?", "Grace Hopper"),
    ],
)
def test_questions_about_one_thing(question, name):
    assert about_what(question) == [name]


def test_the_shortest_path_with_its_sentences(store, schema):
    found = ask("How are Ada Lovelace and Charles Babbage connected?", store, schema)
    assert found.text == (
        "Ada Lovelace and Charles Babbage: 1 shortest path of 2 facts.\n"
        "  Ada Lovelace -[BORN_IN]-> London <-[BORN_IN]- Charles Babbage"
    )
    assert [(f["subject"], f["relation"], f["object"]) for f in found.facts] == [
        ("Ada Lovelace", "BORN_IN", "London"),
        ("Charles Babbage", "BORN_IN", "London"),
    ]
    assert [e["sentence"] for e in found.evidence] == [
        "Ada Lovelace place of birth London.",
        "Charles Babbage place of birth London.",
    ]
    assert store.read(found.cypher, found.params)[1] == [list(row) for row in found.answers]
    assert '"Ada Lovelace place of birth London."' in "\n".join(lines(found))


def test_dates_connect_nobody_and_four_facts_are_the_most(store, schema):
    # Fortran and DEC share the year 1957; BCPL is five facts from Compaq
    assert ask("What connects Fortran and DEC?", store, schema).text.startswith("No path of at most 4 facts leads")
    found = ask("Is there a link between Lord Byron and IBM?", store, schema)
    assert found.text == "No: no path of at most 4 facts leads from Lord Byron to IBM."
    assert (found.source, found.answers, found.facts) == ("graph", (), ())
    assert ask("are ken thompson and dennis ritchie linked?", store, schema).text.startswith("Yes. Ken Thompson and")


def test_a_hub_is_told_after_what_few_share(store, schema):
    store.write(
        "MATCH (e:Entity {uid: $park}) UNWIND $people AS uid MATCH (p:Entity {uid: uid}) "
        "CREATE (p)-[:MEMBER_OF {uid: uid + 'm', support: 1, score: 0.9, sentence: 'A member.', source: 'x'}]->(e)",
        {"park": content_id("Bletchley Park"), "people": [content_id("Ada Lovelace"), content_id("Charles Babbage")]},
    )
    try:
        found = ask("How are Ada Lovelace and Charles Babbage connected?", store, schema)
        assert found.text.splitlines() == [
            "Ada Lovelace and Charles Babbage: 2 shortest paths of 2 facts.",
            "  Ada Lovelace -[MEMBER_OF]-> Bletchley Park <-[MEMBER_OF]- Charles Babbage",
            "  Ada Lovelace -[BORN_IN]-> London <-[BORN_IN]- Charles Babbage",
        ]
    finally:
        store.write("MATCH ()-[r:MEMBER_OF]->() DELETE r")


def test_names_of_one_thing(store, schema):
    assert ask("How are DEC and Digital Equipment Corporation connected?", store, schema).text == (
        "Both are names of Digital Equipment Corporation."
    )


def test_an_ambiguous_end_gives_the_paths_of_each(store, schema):
    store.write("CREATE (:Entity:Place {uid: 'town', name: 'Harvard', aliases: []})")
    try:
        store.write(
            "MATCH (t:Entity {uid: 'town'}), (m:Entity {uid: $m}) CREATE (m)-[:LOCATED_IN {uid: 'f', support: 1, score: 0.9, "
            "sentence: 'Maynard lies near Harvard.', source: 'x'}]->(t)",
            {"m": content_id("Maynard")},
        )
        store.write("CALL db.awaitIndexes(60)")
        found = ask("How is DEC connected to Harvard?", store, schema)
        assert found.text.splitlines()[0].startswith("Digital Equipment Corporation and Harvard: 1 shortest path of 2")
        found = ask("What do we know about Harvard?", store, schema).text.splitlines()
        assert found == [
            "Harvard (location):",
            "  contains: Maynard.",
            "Harvard University (university):",
            "  educated: Dennis Ritchie.",
        ]
    finally:
        store.write("MATCH (e:Entity {uid: 'town'}) DETACH DELETE e")


def test_everything_about_a_thing(store, schema):
    found = ask("What do we know about Unix?", store, schema)
    assert found.text.splitlines() == [
        "Unix (software):",
        "  platform: PDP-11.",
        "  programmed in: C.",
        "  designed by: Ken Thompson.",
    ]
    assert [e["sentence"] for e in found.evidence] == [
        "Unix platform PDP-11.",
        "Unix programmed in C.",
        "Ken Thompson designed Unix.",
    ]
    assert store.read(found.cypher, found.params)[1] == [list(row) for row in found.answers]
    assert [row[:3] for row in found.answers] == [
        ("Unix", "RUNS_ON", "PDP-11"), ("Unix", "WRITTEN_IN", "C"), ("Ken Thompson", "DESIGNED", "Unix"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("Who is Knuth?", "Donald Knuth (person):"),
        ("tell me about the language C", "C (programming language):"),
        ("what is mit?", "Massachusetts Institute of Technology (university):"),
        ("Grace Hopper", "Grace Hopper (person):"),
    ],
)
def test_ways_to_ask_about_a_thing(store, schema, question, first):
    assert ask(question, store, schema).text.splitlines()[0] == first
