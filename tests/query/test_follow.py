"""How follow-up questions are read: pronouns, ellipsis, who else."""

import pytest

from kgpipe.query.follow import DATE, PERSON, PLACE, THING, Named, Reading, Turn, read

ADA = Named("Ada Lovelace", PERSON, "ada", "Ada Lovelace")
DEC = Named("Digital Equipment Corporation", THING, "dec", "DEC")
OLSEN, ANDERSON = Named("Ken Olsen", PERSON, "olsen"), Named("Harlan Anderson", PERSON, "anderson")
LONDON = Named("London", PLACE, "london")
BORN = Turn("Where was Ada Lovelace born?", (ADA,), (LONDON,))
FOUNDED = Turn("Who founded DEC?", (DEC,), (OLSEN, ANDERSON))
KNOWN = {"Ada Lovelace": PERSON, "Grace Hopper": PERSON, "IBM": THING, "DEC": THING, "Ken Olsen": PERSON, "London": PLACE,
         "John Backus": PERSON, "Bell Labs": THING, "Unix": THING}  # fmt: skip


def kinds(text):
    return frozenset({KNOWN[text]} if text in KNOWN else ())


@pytest.mark.parametrize(
    ("turns", "question", "read_as"),
    [
        ([BORN], "and when did she die?", "When did Ada Lovelace die?"),
        ([BORN], "When was she born?", "When was Ada Lovelace born?"),
        ([BORN], "who was her father?", "Who was Ada Lovelace's father?"),
        ([BORN], "Who married her?", "Who married Ada Lovelace?"),
        ([BORN], "who else was born there?", "Who else was born in London?"),
        ([BORN], "when?", "When was Ada Lovelace born?"),
        ([BORN], "what about Grace Hopper?", "Where was Grace Hopper born?"),
        ([BORN], "And Grace Hopper?", "Where was Grace Hopper born?"),
        ([BORN], "what about her mother?", "Ada Lovelace's mother?"),
        ([BORN], "Did she work for IBM?", "Did Ada Lovelace work for IBM?"),
        ([BORN], "How large is it?", "How large is London?"),
        ([FOUNDED], "where was it founded?", "Where was Digital Equipment Corporation founded?"),
        ([FOUNDED], "and when?", "When was DEC founded?"),
        ([FOUNDED], "what about IBM?", "Who founded IBM?"),
        ([FOUNDED], "Which machines did it make?", "Which machines did Digital Equipment Corporation make?"),
        ([BORN, FOUNDED], "when did she die?", "When did Ada Lovelace die?"),
        ([Turn("Did John Backus work for IBM?", (Named("John Backus", PERSON, "", "John Backus"),
                                                Named("IBM", THING, "", "IBM")))],
         "what about Bell Labs?", "Did John Backus work for Bell Labs?"),
        ([Turn("Which languages appeared in 1957?", (Named("1957", DATE, "", "1957"),))],
         "and in 1959?", "Which languages appeared in 1959?"),
    ],
)  # fmt: skip
def test_a_follow_up_is_read_as_a_whole_question(turns, question, read_as):
    assert read(question, turns, kinds).questions == (read_as,)


@pytest.mark.parametrize(
    "question",
    ["Who designed C?", "Is there a university in London?", "How many languages are there?", "Is it true that Unix is old?",
     "Which company did Ken Olsen found before he died?", "Who founded IBM and when was it founded?", "list all universities",
     "", "???", "he", "and"],
)  # fmt: skip
def test_questions_that_need_no_turn_before_stay_as_they_are(question):
    turns = [Turn("Who wrote Unix?", (Named("Unix", THING, "", "Unix"),))]
    assert read(question, turns, kinds) == Reading((question,))
    assert read(question, [], kinds) == Reading((question,))


def test_they_are_all_that_were_given():
    assert read("where were they born?", [FOUNDED], kinds) == Reading(
        ("Where was Ken Olsen born?", "Where was Harlan Anderson born?"), meant=frozenset({"olsen", "anderson"})
    )
    assert read("Who hired them?", [FOUNDED], kinds).questions == ("Who hired Ken Olsen?", "Who hired Harlan Anderson?")
    married = Turn("Who married Ada Lovelace?", (ADA,), (Named("William King", PERSON),))
    assert read("where was he born?", [married], kinds).questions == ("Where was William King born?",)
    assert read("where was she born?", [married], kinds).questions == ("Where was Ada Lovelace born?",)


def test_who_else():
    assert read("and who else?", [FOUNDED], kinds) == Reading(("Who founded DEC?",), ("Ken Olsen", "Harlan Anderson"))
    assert read("who else?", [BORN], kinds) == Reading(("Who was born in London?",), ("Ada Lovelace",))
    backus = Turn("Did John Backus work for IBM?", (Named("John Backus", PERSON, "", "John Backus"),))
    assert read("Who else?", [backus], kinds) == Reading(("Who did work for IBM?",), ("John Backus",))
    assert read("who else?", [Turn("List them", (), ())], kinds) == Reading(("who else?",))
