"""The facts of an entity with their sentences; ambiguous and unknown names."""

import pytest

from kgpipe.errors import InputError
from kgpipe.query.show import lines, show
from kgpipe.records import content_id


def test_facts_of_an_entity_with_their_sentences(store, schema):
    found = show("Unix", store, schema)
    assert (found["name"], found["type"], found["uid"]) == ("Unix", "Software", content_id("Unix"))
    assert [(f["subject"], f["relation"], f["object"]) for f in found["facts"]] == [
        ("Unix", "RUNS_ON", "PDP-11"),
        ("Unix", "WRITTEN_IN", "C"),
        ("Ken Thompson", "DESIGNED", "Unix"),
    ]
    assert found["facts"][0]["evidence"][0]["sentence"] == "Unix platform PDP-11."
    assert lines(found)[:4] == [
        f"Unix (Software)  uid {content_id('Unix')}",
        "Unix -[RUNS_ON]-> PDP-11  (support 1)",
        '    "Unix platform PDP-11."',
        "      Notes file:///corpus/notes.txt",
    ]


@pytest.mark.parametrize("name", ["MIT", "mit", "massachusetts institute of technology", "uid"])
def test_an_alias_another_spelling_and_the_uid_name_it_too(name, store, schema):
    wanted = content_id("Massachusetts Institute of Technology")
    assert show(wanted if name == "uid" else name, store, schema)["uid"] == wanted


def test_an_ambiguous_name_lists_the_candidates(store, schema):
    store.write("CREATE (:Entity:Person {uid: 'second', name: 'Ken Thompson', aliases: []})")
    try:
        with pytest.raises(InputError, match=r'"ken thompson" names 2 entities: .*second.*Give the uid of one'):
            show("ken thompson", store, schema)
        assert show("second", store, schema)["facts"] == []
    finally:
        store.write("MATCH (e:Entity {uid: 'second'}) DELETE e")


@pytest.mark.parametrize(
    ("name", "near"), [("Grace Hoper", "Grace Hopper"), ("Lovelase", "Ada Lovelace"), ("Bell", "Bell Labs")]
)
def test_an_unknown_name_gives_close_ones(name, near, store, schema):
    with pytest.raises(InputError, match=f'Nothing in the graph is called "{name}". Similar: .*{near}'):
        show(name, store, schema)


@pytest.mark.parametrize("name", ["", "  ", "Xyzzy", '"*:~', "\\", "\ud800", "x" * 10_000])
def test_any_string_gives_one_line(name, store, schema):
    with pytest.raises(InputError) as error:
        show(name, store, schema)
    assert "\n" not in str(error.value)
