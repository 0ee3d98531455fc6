import pytest

from kgpipe import schema as schemas
from kgpipe.resolve import coref


def chosen(document, resolve, text):
    """Which names the mentions of the text were resolved to: [names with more than their own mention]."""
    found = resolve(document("a", text))
    return sorted(e.name for e in found.entities if len(e.mentions) > 1)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("[Ada Lovelace|Person] met [Charles Babbage|Person]. [She|Person] wrote notes.", "Ada Lovelace"),
        ("[Ada Lovelace|Person] met [Charles Babbage|Person]. [He|Person] built engines.", "Charles Babbage"),
        ("[Alan Turing|Person] designed the [ACE|Machine] in [London|Place]. [It|Machine] was fast.", "ACE"),
        (
            "[Grace Hopper|Person] joined [Remington Rand|Company]. [The company|Company] sold machines.",
            "Remington Rand",
        ),
        ("[Konrad Zuse|Person] left [Henschel|Company]. [His|Person] machine was in a flat.", "Konrad Zuse"),
        ("When [he|Person] came, [Alan Turing|Person] was tired.", "Alan Turing"),
    ],
)
def test_a_pronoun_goes_to_the_name_that_suits_it(text, name, document, resolve):
    assert chosen(document, resolve, text) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "[It|Machine] was fast. [Alan Turing|Person] came.",
        "[Alan Turing|Person] came. [It|Person] was fast.",
        "[IBM|Company] grew. [He|Company] came.",
        "[Alan Turing|Person] came. [They|Person] left.",
        "[Alan Turing|Person] met [him|Person].",
        "[IBM|Company] grew. [The university|University] did not.",
        "[Alan Turing|Person] asked [who|Person] came.",
    ],
)
def test_a_pronoun_that_suits_no_name_is_left_out(text, document, resolve):
    assert chosen(document, resolve, text) == []


def test_a_pronoun_goes_on_with_the_person_it_stood_for(document, resolve):
    found = resolve(
        document(
            "a",
            "[Maurice Wilkes|Person] studied physics. [He|Person] met [John Mauchly|Person] in Philadelphia. "
            "[He|Person] then built the [EDSAC|Machine].",
            (3, "DESIGNED", 4),
        )
    )
    assert found.said == [("Maurice Wilkes", "DESIGNED", "EDSAC")]


@pytest.mark.parametrize(
    ("surface", "phrase"),
    [("the company", True), ("its first computer", True), ("The Company", False), ("the IBM 701", False),
     ("aspirin", False), ("the 1890 census", False)],
)  # fmt: skip
def test_phrases(surface, phrase):
    assert coref.is_phrase(surface) is phrase


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("[Augusta Ada Byron|Person], better known as [Ada Lovelace|Person], was a poet's child.",
         ["Ada Lovelace", "Augusta Ada Byron"]),
        ("[Grace Hopper|Person] wrote compilers. She was born [Grace Murray|Person] in 1906.",
         ["Grace Hopper", "Grace Murray"]),
        ("The [Manchester Baby|Machine] ran in 1948. Its official name was the [Experimental Machine|Machine].",
         ["Experimental Machine", "Manchester Baby"]),
        ("The [Automatic Calculator|Machine] (AC), which everybody called the [Harvard Giant|Machine], was long.",
         ["AC", "Automatic Calculator", "Harvard Giant"]),
        ("He joined [Bell Telephone Laboratories|Organization] ([Bell Labs|Organization]) in 1941.",
         ["Bell Labs", "Bell Telephone Laboratories"]),
        ("The [Formula Translation Project|Company] ([FORTRAN|Company]) began.",
         ["FORTRAN", "Formula Translation Project"]),
        ("The [Automatic Sequence Calculator|Machine] ([ASC|Company]) was long.", ["ASC", "Automatic Sequence Calculator"]),
    ],
)  # fmt: skip
def test_names_that_the_text_itself_puts_together(text, group, document, resolve):
    assert resolve(document("a", text)).groups == [group]


@pytest.mark.parametrize(
    "text",
    [
        "[Alan Turing|Person] was called to [John Turing|Person].",
        "[IBM|Company] ([Apple|Company]) grew.",
        "[Cambridge|Place] ([England|Place]) is old.",
        "They lived near [Cambridge|Place], called at [Ely|Place] and left.",
        "It is a port on the [Tyne|Place], called [Jarrow|Place].",
        "[Alan Turing|Person] came. She was born near [Grace Murray|Person].",
        "[Richard Nixon|Person] himself called [Lyndon Johnson|Person] and denied it.",
        "His mother is [Karen Boyle|Person] (née [Cornell|Person]), an accountant.",
    ],
)
def test_names_that_only_stand_beside_each_other(text, document, resolve):
    assert len(resolve(document("a", text)).groups) == 2


def test_person_families_are_told_by_what_the_schema_says():
    found = schemas.parse(
        "entities:\n  Scientist: {synonyms: [person]}\n  Chemist: {is: Scientist}\n  Lab: {}\n  Day: {literal: date}\n"
    )
    assert found.people == {"Scientist"}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("The Bolt Beranek and Newman company, or Bolt Beranek and Newman ([BBN|Company]), grew.",
         ("Bolt Beranek and Newman", ("BBN",))),
        ("The [Norwegian Computing Center|Organization] (NCC) grew.", ("Norwegian Computing Center", ("NCC",))),
        ("Augusta Ada Byron, better known as [Ada Lovelace|Person], was young.", ("Ada Lovelace", ("Augusta Ada Byron",))),
        ("[Sara Turing|Person], born Ethel Sara Stoney in 1881, came.", ("Sara Turing", ("Ethel Sara Stoney",))),
        ("He was at Harvard ([IBM|Company]).", ("IBM", ())),
        ("[Ada Lovelace|Person], born Monday, came.", ("Ada Lovelace", ())),
    ],
)  # fmt: skip
def test_names_that_only_the_text_gives_become_aliases(text, names, document, resolve):
    assert [(e.name, e.aliases) for e in resolve(document("a", text)).entities] == [names]
