"""Words for people of a place are no places."""

import pytest

from kgpipe import schema
from kgpipe.extract.demonyms import is_demonym, national


@pytest.mark.parametrize(
    "name", ["American", "americans", "Latin American", "Polish", "South Korean", "Swiss", "Italians"]
)
def test_words_for_people_of_a_place(name):
    assert is_demonym(name)


@pytest.mark.parametrize(
    "name", ["America", "Poland", "Minnesota Vikings", "American Airlines", "Paris", "s", "North", ""]
)
def test_other_names(name):
    assert not is_demonym(name)


def test_relations_about_citizenship_language_and_religion_may_have_them():
    relations = schema.load("general").relations
    assert {name for name, r in relations.items() if national(r)} == {
        "CITIZEN_OF", "SPEAKS", "RELIGION", "OFFICIAL_LANGUAGE"
    }  # fmt: skip
