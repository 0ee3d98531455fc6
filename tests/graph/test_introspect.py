import pytest

from kgpipe.errors import StoreError
from kgpipe.graph.introspect import infer, read_schema
from kgpipe.graph.store import Store
from kgpipe.schema import EntityType, RelationType


@pytest.fixture
def store(graph):
    with Store(graph.uri, graph.user, graph.password) as opened:
        yield opened


def test_a_graph_that_others_built_shows_types_relations_and_properties(store):
    store.write("""
        CREATE (ann:Person:Officer {name: 'Ann', rank: 3, since: date('2019-01-01')}),
               (bob:Person {name: 'Bob', age: 41}), (car:Vehicle {make: 'Ford', weight: 1.2}),
               (x:Place:`Post Code` {code: 'M1'}), (gone:Person)
        CREATE (bob)-[:OWNS {since: 1999}]->(car), (ann)-[:LIVES_AT]->(x), (bob)-[:LIVES_AT]->(x),
               (ann)-[:KNOWS]->(bob), (gone)-[:FORGOTTEN]->(bob)""")
    store.write("MATCH (:Person)-[r:FORGOTTEN]->() DELETE r")
    found = read_schema(store)
    assert list(found.entities.values()) == [
        EntityType("Officer", "officer", parent="Person"),
        EntityType("Person", "person"),
        EntityType("Place", "place"),
        EntityType("Post Code", "post code"),
        EntityType("Vehicle", "vehicle"),
        EntityType("Date", "date", literal="date"),
        EntityType("Number", "number", literal="number"),
        EntityType("Text", "text", literal="text"),
    ]
    property_ = {"stored": "property"}
    assert list(found.relations.values()) == [
        RelationType("KNOWS", "knows", domain=("Officer",), range=("Person",)),
        RelationType("LIVES_AT", "lives at", domain=("Person",), range=("Place", "Post Code")),
        RelationType("OWNS", "owns", domain=("Person",), range=("Vehicle",)),
        RelationType("age", "age", domain=("Person",), range=("Number",), **property_),
        RelationType("code", "code", domain=("Place", "Post Code"), range=("Text",), **property_),
        RelationType("make", "make", domain=("Vehicle",), range=("Text",), **property_),
        RelationType("name", "name", domain=("Person",), range=("Text",), **property_),
        RelationType("rank", "rank", domain=("Officer",), range=("Number",), **property_),
        RelationType("since", "since", domain=("Officer",), range=("Date",), **property_),
        RelationType("weight", "weight", domain=("Vehicle",), range=("Number",), **property_),
    ]


def test_an_empty_database_has_no_schema(store):
    with pytest.raises(StoreError, match="is empty"):
        read_schema(store)


def test_hostile_names_are_read_as_they_are(store):
    store.write("CREATE (:`a``b` {`p``q`: 1})-[:`) DELETE (n`]->(:`名前`)")
    found = read_schema(store)
    assert list(found.entities) == ["a`b", "名前", "Number"]
    assert found.relations[") DELETE (n"].domain == ("a`b",)
    assert found.relations["p`q"].stored == "property"


def test_a_label_that_is_called_like_a_literal_type_keeps_its_name():
    found = infer([(["Text"], "body", ["String"]), (["Text"], "pages", ["Long", "String"])], {})
    assert found.entities["Text"].literal == ""
    assert found.relations["body"].range == ("TextValue",)
    assert found.relations["pages"].range == ("Number", "TextValue")


def test_a_property_called_like_a_relationship_gives_way_and_the_log_says_so(caplog):
    found = infer([(["A"], "LIKES", ["String"])], {"LIKES": ({"A": 1}, {"A": 1})})
    assert found.relations["LIKES"].stored == "relationship"
    assert "property LIKES" in caplog.text


def test_parents_are_the_narrowest_wider_label():
    rows = [(labels, None, None) for labels in (["A"], ["A", "B"], ["A", "B", "C"], ["D", "E"])]
    found = infer(rows, {"R": ({"A": 5, "B": 2, "C": 2}, {"A": 4, "B": 4, "D": 1, "E": 1})})
    assert {e.name: e.parent for e in found.entities.values()} == {"A": "", "B": "A", "C": "B", "D": "", "E": ""}
    assert found.relations["R"].domain == ("A",)
    assert found.relations["R"].range == ("B", "D", "E")
