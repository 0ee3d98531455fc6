"""Reading a graph that kgpipe did not build: links, keys, values named in questions, and the frame of a question."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from kgpipe import schema as schemas
from kgpipe.cli import app
from kgpipe.errors import SchemaError
from kgpipe.graph.introspect import read_schema
from kgpipe.graph.store import Store
from kgpipe.models.embed import load_embedder
from kgpipe.query.catalog import Catalog
from kgpipe.query.frame import frame
from kgpipe.query.property_graph import PropertyGraph
from kgpipe.query.trees import Node, Search, Tree, canonical, weigh
from kgpipe.query.trees import asked as trees_of
from kgpipe.query.values import Values
from kgpipe.query.words import words

SHOP = """
CREATE (s:Supplier {name: 'Lindqvist & Sons', city: 'Malmö'}), (t:Supplier {name: "O'Hara Ltd.", city: 'Cork'}),
       (p:Product {name: 'Rye bread', price: 3.5, kind: 'Baked goods'}), (q:Product {name: 'Butter', price: 2, kind: 'Dairy'}),
       (o:Order {placed: '25/03/2021'}), (r:Order {placed: '4/03/2021'}),
       (s)-[:SUPPLIES]->(p), (t)-[:SUPPLIES]->(q), (o)-[:CONTAINS]->(p), (r)-[:CONTAINS]->(p), (r)-[:CONTAINS]->(q)
"""


def stems(text):
    return frozenset(w.stem for w in words(text))


@pytest.fixture
def shop(graph):
    with Store(graph.uri, graph.user, graph.password) as store:
        store.write(SHOP)
        yield Catalog(read_schema(store), store, load_embedder()), store


def test_catalog_holds_links_sizes_and_naming_properties(shop):
    catalog, _ = shop
    assert {(link.subject, link.relation, link.object, link.count) for link in catalog.links} == {
        ("Supplier", "SUPPLIES", "Product", 2), ("Order", "CONTAINS", "Product", 3),
    }  # fmt: skip
    assert catalog.sizes == {"Order": 2, "Product": 2, "Supplier": 2}
    assert catalog.name_keys == {"Order": "", "Product": "name", "Supplier": "name"}
    kinds = {key: attribute.kind for key, attribute in catalog.attributes["Product"].items()}
    assert kinds == {"kind": "text", "name": "text", "price": "number"}
    assert catalog.attributes["Order"]["placed"].kind == "date"


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who supplies rye bread?", {("Product", "name", "Rye bread")}),
        ("products of Lindqvist & Sons", {("Supplier", "name", "Lindqvist & Sons")}),
        ("What does O'Hara Ltd. supply in Malmö?",
         {("Supplier", "name", "O'Hara Ltd."), ("Supplier", "city", "Malmö")}),
        ("orders of 25 March 2021", {("Order", "placed", "25/03/2021")}),
        ("What was ordered on 4/03/2021 and on March 4, 2021?", {("Order", "placed", "4/03/2021")}),
        ("Which products are there?", set()),
    ],
)  # fmt: skip
def test_values_named_in_a_question(shop, tmp_path, question, expected):
    catalog, store = shop
    for _ in range(2):  # the second time from the file
        values = Values(catalog, store, tmp_path / "values.sqlite")
        assert {(m.type, m.key, m.value) for m in values.find(question)} == expected
        values.close()


REPAIRS = """
UNWIND range(1, 20) AS n
CREATE (c:Case {state: ['Under repair', 'Sold as scrap', 'Checks complete; no fault identified'][n % 3], minutes: toString(n + 40)}),
       (c)-[:REPAIRED_BY]->(:Mechanic {name: ['Stephanie', 'Harry', 'Thomas'][n % 3]})
"""


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Which cases were repaired by Harry?", {"Harry"}),  # a word of the relation is no part of a value
        ("Which cases are under repair?", {"Under repair"}),
        ("Which cases are under repair by Harry?", {"Harry"}),
        ("Which cases went to scrap?", {"Sold as scrap"}),
        ("In which cases are the checks done but no fault there?", {"Checks complete; no fault identified"}),
        ("Which mechanics had 46-minute cases?", {"46"}),
        ("How many Stephanies are there?", {"Stephanie"}),
        ("Which cases do the Harries have?", {"Harry"}),
    ],
)
def test_values_under_other_forms_and_words_of_relations(graph, question, expected):
    with Store(graph.uri, graph.user, graph.password) as store:
        store.write(REPAIRS)
        values = Values(Catalog(read_schema(store), store, load_embedder()), store)
        assert {m.value for m in values.find(question)} == expected
        values.close()


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How many products are there?", {"output": "count", "head": ["products"]}),
        ("Which order is the oldest?", {"output": "node", "head": ["order"], "extreme": 1}),
        ("Is there a cheap product?", {"output": "exists"}),
        ("average price of products", {"output": "avg", "head": ["price"]}),
        ("top 3 products by price", {"limit": 3}),
        ("Which supplier supplies the most products?", {"most": 1, "head": ["supplier"]}),
        ("Which suppliers supply nothing and do not export?", {"negated": "not"}),
        ("products that cost more than 20", {"numbers": [(">", 20.0, None)]}),
        ("products between 3 and 5", {"numbers": [("between", 3.0, 5.0)]}),
        ("orders with at least one product", {"numbers": []}),  # some
        ("orders with at least two products", {"numbers": [(">=", 2.0, None)]}),
        ("What else does Butter need?", {"head": []}),
        ("What all products are there?", {"head": ["products"]}),
        ("products whose name starts with 'Ry'", {"texts": [("STARTS WITH", "ry")]}),
        ("Can you list all suppliers?", {"output": "node", "head": ["suppliers"]}),
        ("What is the number of products?", {"output": "count", "head": ["products"]}),
        ("Who knows the number of a supplier?", {"output": "node"}),
        ("What was the last price of the products?", {"extreme": 0, "head": ["last", "price"]}),
        ("What was the last order of the supplier?", {"extreme": 1}),
    ],
)
def test_frame_of_a_question(question, expected):
    found = words(question)
    made = frame(
        found, question, frozenset(), stems("product order supplier price"), stems("product order supplier"),
        {("last", words("price")[0].stem)},
    )  # fmt: skip
    said = {
        "output": made.output,
        "head": [found[i].text for i in made.head],
        "extreme": made.extreme[0] if made.extreme else 0,
        "most": made.most,
        "limit": made.limit,
        "negated": found[made.negated].text if made.negated >= 0 else "",
        "texts": [(t.operator, t.value) for t in made.texts],
        "numbers": [(n.operator, n.value, n.upper) for n in made.numbers],
    }
    assert {key: said[key] for key in expected} == expected


@pytest.fixture
def command(shop, graph, tmp_path, monkeypatch):
    monkeypatch.setenv("NEO4J_PASSWORD", graph.password)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)

    def run(*args):
        return CliRunner().invoke(app, [*args, "--neo4j", graph.uri])

    return run


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Which supplier supplies rye bread?", [["Lindqvist & Sons"]]),
        ("How many orders contain rye bread?", [[2]]),
        ("Which products does O'Hara Ltd. supply?", [["Butter"]]),
        ("Which products cost more than 3?", [["Rye bread"]]),
        ("What is the price of butter?", [[2]]),
        ("What is the average price of the products?", [[2.75]]),
    ],
)
def test_a_graph_of_others_is_asked_and_left_as_it_is(command, shop, question, expected):
    before = shop[1].read("MATCH (n) RETURN count(n), sum(size(keys(n)))")
    made = command("ask", question, "--json")
    assert made.exit_code == 0, made.output
    assert json.loads(made.output)["answers"] == expected
    assert shop[1].read("MATCH (n) RETURN count(n), sum(size(keys(n)))") == before
    assert shop[1].read("SHOW INDEXES YIELD type WHERE type <> 'LOOKUP' RETURN type")[1] == []


CALLS = """
UNWIND range(1, 12) AS n
CREATE (c:PhoneCall {call_date: ['12/08/2017', '13/08/2017', '14/08/2017'][n % 3]}), (p:Phone {number: '555-01' + (n + 10)}),
       (q:Phone {number: '555-02' + (n + 10)}), (c)-[:CALLER]->(p), (c)-[:CALLED]->(q)
CREATE (:Theft {date: ['12/08/2017', '15/08/2017'][n % 2]})-[:RECORDED_BY]->(:Officer {name: 'Officer ' + n})
"""


def test_a_date_is_of_what_can_only_be_what_has_it(graph):
    """A phone is nearly called as a phone call is, but of "calls to a phone on 12/08/2017" the calls have the date."""
    with Store(graph.uri, graph.user, graph.password) as store:
        store.write(CALLS)
        asked = PropertyGraph(store, embedder=load_embedder(), values_file=":memory:")
        question, matches = asked.read("How many calls were placed to any phone on 12/08/2017?")
        things = Search(trees_of(question, matches, asked.catalog), asked.catalog).mentions
        found = asked.ask(question)
        asked.close()
    assert [(bool(m.spans), "Phone" in m.kinds) for m in things] == [(True, False), (False, True)]
    assert found.answers == ((4,),)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Which phone made a call on 12/08/2017 and also one on 13/08/2017?", 2),
        ("Which officers recorded a theft on 12/08/2017 and also a theft on 15/08/2017?", 2),
        ("Which officers recorded not only a theft on 12/08/2017 but also a violent theft on 15/08/2017?", 2),
        ("Which officers recorded the theft on 12/08/2017?", 1),
    ],
)
def test_what_is_said_of_another_thing_is_not_of_the_first(graph, question, expected):
    with Store(graph.uri, graph.user, graph.password) as store:
        store.write(CALLS)
        asked = PropertyGraph(store, embedder=load_embedder(), values_file=":memory:")
        text, matches = asked.read(question)
        made = trees_of(text, matches, asked.catalog)
        things = Search(made, asked.catalog).mentions
        asked.close()
    assert made.frame.negated == -1
    assert [len(m.spans) for m in things if m.spans] == [1] * expected


def test_what_took_part_in_something_is_no_place(graph):
    with Store(graph.uri, graph.user, graph.password) as store:
        store.write(
            "CREATE (:Person {name: 'Ann'})-[:PARTY_TO]->(:Crime {type: 'Fraud'})<-[:INVOLVED_IN]-(:Object {name: 'Rope'})"
        )
        asked = PropertyGraph(store, embedder=load_embedder(), values_file=":memory:")
        found = asked.ask("Which objects are tied to crimes that Ann took part in?")
        asked.close()
    assert found.answers == (("Rope",),)


PEOPLE = """
CREATE (a:Person {name: 'Ann'}), (b:Person {name: 'Bob'}), (c:Person {name: 'Cid'}), (d:Person {name: 'Dot'}), (e:Person {name: 'Eve'}),
       (d)-[:LIVES_WITH]->(a), (b)-[:FAMILY_OF]->(d), (d)-[:KNOWS]->(c), (e)-[:LIVES_WITH]->(b), (b)-[:KNOWS]->(c),
       (d)-[:HAS_EMAIL]->(:Email {email_address: 'dot@example.org'}), (d)-[:LIVES_AT]->(:Location {address: '1 Mill Lane'})
"""


@pytest.fixture
def people(graph):
    with Store(graph.uri, graph.user, graph.password) as store:
        store.write(PEOPLE)
        held = read_schema(store)
        mutual = {n: replace(held.relations[n], symmetric=True) for n in ("LIVES_WITH", "FAMILY_OF", "KNOWS")}
        schema = replace(held, relations=held.relations | mutual)
        asked = PropertyGraph(store, schema=schema, embedder=load_embedder(), values_file=":memory:", most_nodes=5)
        yield asked
        asked.close()


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who lives with Ann, is family of Bob and knows Cid?", (("Dot",),)),
        ("What is the email address of the person who lives with Ann?", (("dot@example.org",),)),
        ("What is the address of the person who lives with Ann?", (("1 Mill Lane",),)),
        ("What is the email address of the person whose address is 1 Mill Lane?", (("dot@example.org",),)),
        ("Who knows Dot and also Bob?", (("Cid",),)),
        ("Who is known by Dot and also by Bob?", (("Cid",),)),
    ],
)
def test_several_things_said_of_one_and_names_of_properties(people, question, expected):
    assert people.ask(question).answers == expected


def test_a_phrase_of_several_words_asks_for_its_link_only(people):
    schema = people.catalog.schema
    called = replace(schema.relations["KNOWS"], label="knows the number of")
    catalog = Catalog(
        replace(schema, relations=schema.relations | {"KNOWS": called}), people.store, people.catalog.embedder
    )

    def phrases_of(question):
        found = trees_of(question, [], catalog)
        return {found.words[i].lower: set(names) for i, names in found.phrases.items()}, [
            found.words[i].lower for i in found.content
        ]

    assert phrases_of("Who knows the number of Cid?") == ({"knows": {"KNOWS"}}, ["knows", "cid"])
    assert phrases_of("Who knows Bob, the number of Cid?")[0] == {}
    assert phrases_of("Who knows Bob and numbers Cid?")[0] == {}


def test_a_tree_over_links_without_direction_is_one(people):
    link = next(n for n, x in enumerate(people.catalog.links) if x.relation == "KNOWS")
    there, back = (Tree((Node("Person"), Node("Person")), ((*ends, link),)) for ends in ((0, 1), (1, 0)))
    assert canonical(there, {link}) == canonical(back, {link}) and canonical(there, ()) != canonical(back, ())


def test_two_names_are_of_two_nodes(people):
    question, matches = people.read("How many people live with Bob and know a friend of Cid?")
    search = Search(trees_of(question, matches, people.catalog), people.catalog, most_nodes=4)
    best = search.ranked()[0]
    assert best.features["merged"] == 0 and [len(node.conditions) for node in best.tree.nodes].count(1) == 2
    both = Node("Person", tuple(c for node in best.tree.nodes for c in node.conditions))
    assert search.features(Tree((both,)))["merged"] == 1


@pytest.mark.parametrize("head", ["postcode", "post code", "zip code", "postal codes", "postcodes"])
def test_a_type_is_known_by_one_word_or_two(graph, head):
    with Store(graph.uri, graph.user, graph.password) as store:
        store.write("CREATE (:Location {address: '1 Mill Lane'})-[:HAS_POSTCODE]->(:PostCode {code: 'AB1 2CD'})")
        catalog = Catalog(read_schema(store), store, load_embedder())
    evidence = weigh(trees_of(f"Which {head} belongs to the mill?", [], catalog), catalog)
    assert evidence.head_types["PostCode"] == 1.0 > evidence.head_types["Location"]


def test_what_connects_two_nodes(command):
    made = command("ask", "How are Lindqvist & Sons and O'Hara Ltd. connected?")
    assert made.output.splitlines() == [
        "Lindqvist & Sons and O'Hara Ltd.: 1 shortest path of 4 facts.",
        "  Lindqvist & Sons -[SUPPLIES]-> Rye bread <-[CONTAINS]- Order -[CONTAINS]-> Butter <-[SUPPLIES]- O'Hara Ltd.",
    ]
    found = json.loads(command("ask", "What connects rye bread and butter?", "--json").output)
    assert [[f["subject"], f["relation"], f["object"]] for f in found["answers"][0][0]] == [
        ["Order", "CONTAINS", "Rye bread"], ["Order", "CONTAINS", "Butter"],
    ]  # fmt: skip


def test_everything_about_a_node(command):
    assert command("ask", "What do we know about rye bread?").output.splitlines() == [
        "Rye bread (Product):",
        "  kind: Baked goods",
        "  price: 3.5",
        "  <-[CONTAINS]- Order and more: 2 in all",
        "  <-[SUPPLIES]- Lindqvist & Sons",
    ]


def test_the_graph_does_not_tell_what_it_does_not_hold(command):
    made = command("ask", "What is the weather tomorrow?", "--json")
    assert json.loads(made.output)["answers"] == []


def test_a_schema_file_gives_the_words(command, tmp_path):
    written = command("schema", "read").output
    assert schemas.to_yaml(schemas.parse(written)) == written
    (tmp_path / "shop.yaml").write_text(
        written.replace("  CONTAINS:\n", "  CONTAINS:\n    synonyms: [item on the ticket]\n")
    )
    made = command("ask", "-v", "How many orders have rye bread as item on the ticket?", "--schema", "shop.yaml")
    assert made.output.startswith("2."), made.output


def test_a_schema_file_with_a_type_that_the_graph_has_not(command, tmp_path):
    (tmp_path / "shop.yaml").write_text("entities: {Planet: {}}\n")
    made = command("ask", "Who supplies butter?", "--schema", "shop.yaml")
    assert isinstance(made.exception, SchemaError)
    assert 'has no type "Planet"' in str(made.exception)
