import pytest

from kgpipe.resolve import score


@pytest.mark.parametrize(
    ("a", "b", "person", "reason"),
    [
        ("ENIAC", "Eniac", False, "same name"),
        ("Intel", "Intel Corporation", False, "same name but for its legal form or a spelling"),
        ("PDP-11", "PDP11", False, "same letters"),
        ("FLOW-MATIC", "FLOWMATIC", False, "same letters"),
        ("University of Cambridge", "Cambridge University", False, "same words in another order"),
        ("Alan Turing", "Dr Alan Turing", True, "same name but for a title or the order of its parts"),
        ("Turing, Alan", "Alan Turing", True, "same name but for a title or the order of its parts"),
        ("World Wide Web", "WorldWideWeb", False, ""),
        ("IBM 701", "IBM 704", False, ""),
        ("Turing", "Turing", True, ""),
        ("Alan Turing", "Alan Mathison Turing", True, ""),
    ],
)
def test_one_name_written_twice(a, b, person, reason):
    assert score.same(a, b, person=person)[1] == score.same(b, a, person=person)[1] == reason


@pytest.mark.parametrize(
    ("a", "b", "person", "nearby", "merged"),
    [
        ("MIT", "Massachusetts Institute of Technology", False, False, True),
        ("Harvard", "Harvard University", False, False, True),
        ("Moore School", "Moore School of Electrical Engineering", False, False, True),
        ("Berkeley", "University of California, Berkeley", False, True, True),
        ("Washington", "Washington, D.C.", False, True, True),
        ("Turing", "Alan Turing", True, False, True),
        ("Alan", "Alan Turing", True, True, True),
        ("Alan", "Alan Turing", True, False, False),
        ("J. Eckert", "John Presper Eckert", True, False, True),
        ("Endara", "Guillermo Endara Galimany", True, True, True),
        ("Square", "Square Enix", False, True, False),
        ("Belize", "Belize City", False, True, False),
        ("ALGOL", "ALGOL 60", False, True, False),
        ("Mark I", "Mark II", False, True, False),
        ("Turing Sr.", "Alan Turing Jr.", True, True, False),
        ("Alan Turing", "Turing", True, True, False),
        ("Sasanian Empire", "Sassanian Empire", False, True, True),
        ("Southeast Alaska", "Southwest Alaska", False, True, False),
        ("Super Bowl XXXVII", "Super Bowl XXXII", False, True, False),
        ("Austria", "Australia", False, True, False),
        ("Lutherans", "Lutheranism", False, True, False),
        ("U.S.", "Union Station", False, True, False),
        ("USA", "United States of America", False, False, True),
    ],
)
def test_shorter_ways_to_write_a_name(a, b, person, nearby, merged):
    value, reason = score.shortens(a, b, person=person, nearby=nearby)
    assert (value >= score.MERGE) is merged, reason


def test_the_name_of_an_owner_in_front():
    known = {"harvard": {"Organization"}, "common": {"Machine"}}
    assert score.qualifies("Mark I", "Harvard Mark I", known, "Machine", nearby=True)[0] >= score.MERGE
    assert score.qualifies("Mark I", "Harvard Mark I", known, "Machine", nearby=False)[0] < score.MERGE
    assert score.qualifies("Lisp", "Common Lisp", known, "Machine", nearby=True) == (0.0, "")
    assert score.qualifies("Lisp", "Harvard Lisp", known, "Machine", nearby=False) == (0.0, "")


@pytest.mark.parametrize(
    ("a", "b", "agree"),
    [
        ("1815", "1815-12-10", True),
        ("194X", "1943-05", True),
        ("1943", "194X", True),
        ("1850", "1931-05-03", False),
        ("1931-05-03", "1931-06", False),
        ("london", "west london", True),
        ("london", "paris", False),
    ],
)
def test_values_that_can_both_be_right(a, b, agree):
    assert score.values_agree(a, b) is agree
