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


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        # days
        ("on the 12th of March 1990", [("12th of March 1990", "1990-03-12")]),
        ("on March 12, 1990, he", [("March 12, 1990", "1990-03-12")]),
        ("on March 12th, 1990", [("March 12th, 1990", "1990-03-12")]),
        ("on Mar 12 1990", [("Mar 12 1990", "1990-03-12")]),
        ("dated 12-Mar-1990", [("12-Mar-1990", "1990-03-12")]),
        ("on Sunday, 7 May 1950", [("7 May 1950", "1950-05-07")]),
        ("on 1 January, 1970", [("1 January, 1970", "1970-01-01")]),
        ("on 29 February 1952", [("29 February 1952", "1952-02-29")]),
        ("on 25/12/1990", [("25/12/1990", "1990-12-25")]),
        ("on 12/25/1990", [("12/25/1990", "1990-12-25")]),
        ("on 5/5/2005", [("5/5/2005", "2005-05-05")]),
        ("am 25.12.1990 in Bonn", [("25.12.1990", "1990-12-25")]),
        ("on 12/03/1990 or so", []),
        ("on 1990/12/25", [("1990/12/25", "1990-12-25")]),
        ("at 2024-03-01T12:30:00Z", [("2024-03-01", "2024-03-01")]),
        # months
        ("in March of 1990", [("March of 1990", "1990-03")]),
        ("in mid-March 1990", [("March 1990", "1990-03")]),
        ("since 2019-07 it", [("2019-07", "2019-07")]),
        ("in May he left", []),
        ("on 12 May he left", []),
        ("on May 12 he left", []),
        # years
        ("c. 1850 in Paris", [("1850", "1850")]),
        ("painted circa 1850", [("1850", "1850")]),
        ("around 1850 the", [("1850", "1850")]),
        ("in mid-1943 they", [("1943", "1943")]),
        ("in late 1943 they", [("1943", "1943")]),
        ("in the summer of 1979 Sony", [("1979", "1979")]),
        ("in spring 1969", [("1969", "1969")]),
        ("in Q3 2019 sales", [("2019", "2019")]),
        ("in the third quarter of 2019", [("2019", "2019")]),
        ("(1906)", [("1906", "1906")]),
        ("born 1906 in Ulm", [("1906", "1906")]),
        ("Pompeii fell in AD 79.", [("AD 79", "0079")]),
        ("until 476 CE in Rome", [("476 CE", "0476")]),
        ("in the year 800 he", [("800", "0800")]),
        ("killed in 44 BC in Rome", [("44 BC", "-0043")]),
        ("about 300 BCE in Alexandria", [("300 BCE", "-0299")]),
        ("on 15 March 44 BC", [("15 March 44 BC", "-0043-03-15")]),
        ("died on 4 February 211 in York", [("4 February 211", "0211-02-04")]),
        ("died 4 February 211.", [("4 February 211", "0211-02-04")]),
        ("died on 3 November 644 CE", [("3 November 644 CE", "0644-11-03")]),
        ("In 642, Li fell", [("642", "0642")]),
        # longer times
        ("in the early 1940s", [("1940s", "194X")]),
        ("in the 1990's", [("1990's", "199X")]),
        ("in the 1800s", [("1800s", "18XX")]),
        ("in the 2000s", [("2000s", "200X")]),
        ("the ’60s in London", [("’60s", "196X")]),
        ("in the 19th century", [("19th century", "18XX")]),
        ("a twentieth-century composer", [("twentieth-century", "19XX")]),
        ("in the 5th century BC", [("5th century BC", "-04XX")]),
        ("in the 18th and 19th centuries", [("18th", "17XX"), ("19th centuries", "18XX")]),
        # from and to
        ("lived 1815–1852", [("1815", "1815"), ("1852", "1852")]),
        ("the war of 1939-1945", [("1939", "1939"), ("1945", "1945")]),
        ("the war of 1914–18", [("1914", "1914"), ("18", "1918")]),
        ("the season of 2003-04", [("2003", "2003"), ("04", "2004")]),
        ("from 1936 until 1938", [("1936", "1936"), ("1938", "1938")]),
        ("between 1950 and 1955", [("1950", "1950"), ("1955", "1955")]),
        ("on 12–15 May 1940", [("12", "1940-05-12"), ("15 May 1940", "1940-05-15")]),
        ("from 12 to 15 May 1940", [("12", "1940-05-12"), ("15 May 1940", "1940-05-15")]),
        ("on May 12–15, 1940", [("May 12", "1940-05-12"), ("15, 1940", "1940-05-15")]),
        ("from 28 June to 3 July 1940", [("28 June", "1940-06-28"), ("3 July 1940", "1940-07-03")]),
        ("from June 28 to July 3, 1940", [("June 28", "1940-06-28"), ("July 3, 1940", "1940-07-03")]),
        ("in June and July 1948", [("June", "1948-06"), ("July 1948", "1948-07")]),
        ("Plato (427–347 BC)", [("427", "-0426"), ("347 BC", "-0346")]),
        (
            "(10 December 1815 – 27 November 1852)",
            [("10 December 1815", "1815-12-10"), ("27 November 1852", "1852-11-27")],
        ),
        # no dates
        ("20th Century Fox", []),
        ("the 1401 was rented", []),
        ("it may 1 day", []),
        ("some 1800 tubes", []),
        ("a room of 1950 people", []),
        ("the DEC 1090 and the IBM 1620", []),
        ("call 555-1990", []),
        ("it cost $1950", []),
    ],
)
def test_dates(text, dates):
    assert [(text[f.start : f.end], f.value) for f in find(text) if f.kind == "date"] == dates


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("weighed 30 tons", [("30 tons", "30 t")]),
        ("a distance of 5,000 km", [("5,000 km", "5000 km")]),
        ("sold for $2.5 billion", [("$2.5 billion", "2500000000 USD")]),
        ("sold for $2.3 million", [("$2.3 million", "2300000 USD")]),
        ("paid US$ 40 million", [("US$ 40 million", "40000000 USD")]),
        ("paid 40 million dollars", [("40 million dollars", "40000000 USD")]),
        ("paid £2m for it", [("£2m", "2000000 GBP")]),
        ("worth €3bn", [("€3bn", "3000000000 EUR")]),
        ("worth $1.5M", [("$1.5M", "1500000 USD")]),
        ("for EUR 20 each", [("EUR 20", "20 EUR")]),
        ("for ¥500", [("¥500", "500 JPY")]),
        ("ran at 3.5 GHz", [("3.5 GHz", "3.5 GHz")]),
        ("20 percent of them", [("20 percent", "20 %")]),
        ("fell by 0.5%", [("0.5%", "0.5 %")]),
        ("1.2 million people", [("1.2 million", "1200000")]),
        ("a 3.5-inch disk", [("3.5-inch", "3.5 in")]),
        ("a 20-year-old student", [("20-year", "20 yr")]),
        ("at 100 km/h", [("100 km/h", "100 km/h")]),
        ("at 10 Mbit/s", [("10 Mbit/s", "10 Mbit/s")]),
        ("2 TB of disk", [("2 TB", "2 TB")]),
        ("an area of 50 square kilometres", [("50 square kilometres", "50 km2")]),
        ("a farm of 12 hectares", [("12 hectares", "12 ha")]),
        ("at 25 °C", [("25 °C", "25 °C")]),
        ("at -40 °C", [("-40 °C", "-40 °C")]),
        ("at −5 degrees Celsius", [("−5 degrees Celsius", "-5 °C")]),
        ("at minus 40 degrees Fahrenheit", [("minus 40 degrees Fahrenheit", "-40 °F")]),
        ("a balance of -5", [("-5", "-5")]),
        ("forty engineers", [("forty", "40")]),
        ("forty-two engineers", [("forty-two", "42")]),
        ("two hundred and fifty engineers", [("two hundred and fifty", "250")]),
        ("a hundred kilometres", [("a hundred kilometres", "100 km")]),
        ("half a million dollars", [("half a million dollars", "500000 USD")]),
        ("two and a half years later", [("two and a half years", "2.5 yr")]),
        ("twenty-five thousand tons", [("twenty-five thousand tons", "25000 t")]),
        ("three dozen machines", [("three dozen", "36")]),
        ("one of the two men", []),
        ("One day in spring", []),
        ("thousands of people", []),
        ("Forty engineers", [("Forty", "40")]),
        ("the film Sixteen Candles of 7-Eleven", []),
        ("10–20 km away", [("10", "10 km"), ("20 km", "20 km")]),
        ("5 to 10 percent", [("5", "5 %"), ("10 percent", "10 %")]),
        ("between 30 and 40 tons", [("30", "30 t"), ("40 tons", "40 t")]),
        ("$2–3 billion", [("$2", "2000000000 USD"), ("3 billion", "3000000000 USD")]),
        ("between 3 and 5 people", [("3", "3"), ("5", "5")]),
        ("In 12 countries", [("12", "12")]),
        ("About 40 people came.", [("40", "40")]),
        ("1\u202f500\u202f000 people", [("1\u202f500\u202f000", "1500000")]),
        ("won by 3–2", []),
        ("at 10:30 or 5 p.m.", []),
        ("on 12 May and 3/4 of it", []),
        ("the 21st time", []),
        ("Apollo 11 and Windows 95", []),
        ("phone 555-1234", []),
        ("5 GB/day", []),
    ],
)  # fmt: skip
def test_numbers(text, numbers):
    assert [(text[f.start : f.end], f.value) for f in find(text) if f.kind == "number"] == numbers


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("c. 1850", "date", "1850"),
        ("the early 1940s", "date", "194X"),
        ("the summer of 1979", "date", "1979"),
        ("Monday, 5 March 1990", "date", "1990-03-05"),
        ("1943-05", "date", "1943-05"),
        ("1815-12-10", "date", "1815-12-10"),
        ("194X", "date", "194X"),
        ("18XX", "date", "18XX"),
        ("-0043", "date", "-0043"),
        ("44 BC", "date", "-0043"),
        ("1939–1945", "date", None),
        ("in May", "date", None),
        ("12/03/1990", "date", None),
        ("1990-13-40", "date", None),
        ("forty", "number", "40"),
        ("two", "number", "2"),
        ("about 40 km", "number", "40 km"),
        ("more than 5,000", "number", "5000"),
        ("30 t", "number", "30 t"),
        ("-5", "number", "-5"),
        ("10–20 km", "number", None),
        ("1950", "number", "1950"),
        ("several", "number", None),
        ("", "date", None),
        ("", "text", None),
    ],
)
def test_a_whole_text_says_one_value_or_none(text, kind, value):
    assert parse(text, kind) == value


@given(st.text())
def test_what_is_found_lies_in_the_text_without_overlap(text):
    found = find(text)
    assert all(0 <= f.start < f.end <= len(text) and f.value for f in found)
    assert all(a.end <= b.start for a, b in zip(found, found[1:], strict=False))
