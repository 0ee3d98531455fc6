"""Words that stand for two links: plainer wordings, and the answers that the graph gives to them."""

import pytest

from kgpipe.graph.store import Store
from kgpipe.models.embed import load_embedder
from kgpipe.query.grammar import is_participle
from kgpipe.query.plain import plain
from kgpipe.query.property_graph import PropertyGraph
from kgpipe.query.trees import Search, asked

FILMS = """
CREATE (ada:Person {name: 'Ada Lind'}), (bo:Person {name: 'Bo Ray'}), (cy:Person {name: 'Cy Young'}),
       (di:Person {name: 'Di Marsh'}), (ed:Person {name: 'Ed Stone'}),
       (dunes:Movie {title: 'Dunes at Night', year: 1999}), (harbour:Movie {title: 'The Harbour', year: 2004}),
       (cast:Movie {title: 'Went to Rome', year: 2010}),
       (ada)-[:ACTED_IN]->(dunes), (bo)-[:ACTED_IN]->(dunes), (bo)-[:ACTED_IN]->(harbour), (cy)-[:ACTED_IN]->(harbour),
       (ada)-[:ACTED_IN]->(cast), (di)-[:DIRECTED]->(dunes), (di)-[:DIRECTED]->(cast), (ed)-[:DIRECTED]->(harbour),
       (ed)-[:WROTE]->(dunes)
"""


@pytest.fixture
def films(graph):
    with Store(graph.uri, graph.user, graph.password) as store:
        store.write(FILMS)
        asked = PropertyGraph(store, embedder=load_embedder(), values_file=":memory:")
        yield asked
        asked.close()


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who is a co-star of Bo Ray?", "Who is a person who acted in a movie acted in by Bo Ray?"),
        ("Name Bo Ray's co-stars.", "Name people who acted in a movie acted in by Bo Ray."),
        ("Who acted alongside Ada Lind?", "Who acted in a movie acted in by Ada Lind?"),
        ("Which directors has Cy Young acted for?", "Which people directed a movie acted in by Cy Young?"),
        ("actors directed by Ed Stone", "people who acted in a movie directed by Ed Stone"),
        ("the films of director Di Marsh", "the films directed by Di Marsh"),
        ("Who has directed Cy Young?", "Who has directed Cy Young?"),  # only after who, where it is sure what is meant
        ("someone who directed Cy Young", "someone who directed a movie acted in by Cy Young"),
        ("Which movies share an actor with The Harbour?", "Which movies have an actor of another movie, The Harbour?"),
        ("When did Went to Rome come out?", "When did Went to Rome get released?"),  # a name stays as it is
        ("Who acted in The Harbour?", "Who acted in The Harbour?"),
        ("Di Marsh directed a film; who acted in it?", "Who acted in the film that Di Marsh directed?"),
        ("Bo Ray was in a film. Who made that film?", "Who made the film that Bo Ray was in?"),
        ("Di Marsh directed a film; what is its title?", "What is its title ⸺ Di Marsh directed a film?"),
        ("Someone who knows Ed Stone made a film. Who is he?", "Who is he ⸺ Someone who knows Ed Stone made a film?"),
        ("When Di Marsh met Ed Stone, who was there?", "Who was there ⸺ Di Marsh met Ed Stone?"),
        (
            "When and where did Di Marsh meet Ed Stone, and who was there?",
            "When and where did Di Marsh meet Ed Stone, and who was there?",
        ),
        (
            "Exactly how many films did Di Marsh make, and which were they?",
            "Exactly how many films did Di Marsh make, and which were they?",
        ),
        ("Of the films of Di Marsh, how many are old?", "How many of the films of Di Marsh are old?"),
        ("A man called Ed Stone, which films did he direct?", "Which films did he direct ⸺ A man called Ed Stone?"),
        ("Ada Lind acted in which film?", "In which film Ada Lind acted?"),
        ("Dunes at Night was made by whom?", "By whom Dunes at Night was made?"),
        ("Ada Lind, who acted in Dunes at Night", "Ada Lind, who acted in Dunes at Night"),  # nothing is asked in it
        ("the film's actors' other films", "the other films of actors of film"),
        ("Filmmakers of Dunes at Night", "directors of Dunes at Night"),
        ("Critics of Dunes at Night", "Critics of Dunes at Night"),  # nothing is reviewed in this schema
        ("Who gobbled up the firm?", "Who gobbled up the firm?"),  # nothing is acquired in this schema
        ("Who scripted Dunes at Night?", "Who wrote Dunes at Night?"),
        ("Whose honours were many?", "Whose honours were many?"),  # nor are there awards
        ("Name a castmate of Bo Ray.", "Name a person who acted in a movie acted in by Bo Ray."),
        ("Which awards went to the people in The Harbour?", "Which awards went to the people in The Harbour?"),
        ("", ""),
        ("co-", "co-"),
        ("with Bo Ray", "with Bo Ray"),
        ("Which directors has", "Which directors has"),
    ],
)
def test_plainer_wordings(films, question, expected):
    assert plain(question, films.catalog, films.values.find(question)) == expected


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Name a co-star of Bo Ray.", {"Ada Lind", "Cy Young"}),
        ("Who acted with Ada Lind?", {"Bo Ray"}),
        ("Which directors has Cy Young acted for?", {"Ed Stone"}),
        ("Which other films did the director of Went to Rome make?", {"Dunes at Night"}),
        ("Which movies share an actor with The Harbour?", {"Dunes at Night"}),
        ("Who wrote movies that Bo Ray acted in?", {"Ed Stone"}),
        ("Which other films did a co-star of Cy Young act in?", {"Dunes at Night"}),
    ],
)
def test_two_links_in_one_word_are_followed(films, question, expected):
    found = films.ask(question, threshold=0.0)
    assert {row[0] for row in found.answers} == expected, found.understood
    assert found.question == question


def test_from_a_name_only_links_it_has_are_followed(films):
    question = "What did Di Marsh make?"  # a relation that is asked for in so many words is followed all the same
    named = films.values.find(question)
    made = asked(question, named, films.catalog)
    free = Search(made, films.catalog).ranked()
    held = Search(made, films.catalog, held=films._held(named)).ranked()
    hers = "person with name Di Marsh wrote"
    assert any(hers in one.said for one in free)
    assert held and not any(hers in one.said for one in held)


@pytest.mark.parametrize(
    ("word", "expected"),
    [("founded", True), ("written", True), ("taught", True), ("children", False), ("women", False), ("location", False),
     ("student", False), ("document", False)],
)  # fmt: skip
def test_participles_are_told_from_nouns(word, expected):
    """Else `Ada's children` would be those whose child Ada is."""
    assert is_participle(word) is expected
