import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgpipe.literals import Found, find, parse


@pytest.mark.parametrize(
    ("text", "surface", "kind", "value"),
    [
        ("She was born on 10 December 1815 in London.", "10 December 1815", "date", "1815-12-10"),
        ("He died on December 28, 1957.", "December 28, 1957", "date", "1957-12-28"),
        ("on the 21st of June, 1948, the Baby ran", "21st of June, 1948", "date", "1948-06-21"),
        ("It was published in September 1843.", "September 1843", "date", "1843-09"),
        ("In Sept. 1843 it appeared", "Sept. 1843", "date", "1843-09"),
        ("ENIAC was completed in 1945 at Philadelphia", "1945", "date", "1945"),
        ("Grace Hopper (1906–1992)", "1906", "date", "1906"),
        ("from 1936 to 1938 he studied", "1938", "date", "1938"),
        ("during the 1940s computers", "1940s", "date", "194X"),
        ("on 1957-04-15 a manual", "1957-04-15", "date", "1957-04-15"),
        ("It was released in 1972, and spread", "1972", "date", "1972"),
        ("it weighed 30 tons", "30 tons", "number", "30 t"),
        ("with 17,468 vacuum tubes", "17,468", "number", "17468"),
        ("consumed 150 kW of power", "150 kW", "number", "150 kW"),
        ("cost $2.5 million in all", "$2.5 million", "number", "2500000 USD"),
        ("an 18-bit machine", "18-bit", "number", "18 bit"),
        ("after five years of work", "five years", "number", "5 yr"),
        ("some 1800 tubes", "1800", "number", "1800"),
        ("about 3.2 million people", "3.2 million", "number", "3200000"),
        ("fell by 12 percent", "12 percent", "number", "12 %"),
    ],
)
def test_a_literal_is_found_and_normalised(text, surface, kind, value):
    start = text.index(surface)
    assert Found(start, start + len(surface), kind, value) in find(text)


@pytest.mark.parametrize(
    "text",
    ["the IBM 1401 was rented", "a PDP-11 with", "UNIVAC 1103A", "the Mark 1 ran", "version 4.3.2"],
)
def test_parts_of_names_are_no_literals(text):
    assert find(text) == []


def test_an_impossible_day_leaves_the_month():
    assert [f.value for f in find("on 31 February 1950 he") if f.kind == "date"] == ["1950-02"]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("10 December 1815", "date", "1815-12-10"),
        ("1815", "date", "1815"),
        ("in 1815", "date", "1815"),
        ("London", "date", None),
        ("30 tons", "number", "30 t"),
        ("  some text ", "text", "some text"),
    ],
)
def test_a_whole_text_is_parsed(text, kind, value):
    assert parse(text, kind) == value


@given(st.text())
def test_what_is_found_lies_in_the_text_without_overlap(text):
    found = find(text)
    assert all(0 <= f.start < f.end <= len(text) and f.value for f in found)
    assert all(a.end <= b.start for a, b in zip(found, found[1:], strict=False))
