import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgpipe import names
from kgpipe.names import PersonName


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("Turing’s", "turing"),
        ("the University of Manchester", "university of manchester"),
        ("Electronic Numerical Integrator and Computer (ENIAC)", "electronic numerical integrator and computer"),
        ("I.B.M.", "ibm"),
        ("U.S. Army", "us army"),
        ("AT&T", "att"),
        ("Bell & Howell", "bell and howell"),
        ("King’s College", "kings college"),
        ("  Konrad\n Zuse ", "konrad zuse"),
        ("Zürich", "zurich"),
        ("Tromsø", "tromso"),
        ("PDP-11", "pdp 11"),
        ("C", "c"),
        ("C++", "c++"),
        ("C#", "c#"),
        ("A. Turing", "a turing"),
        ("ＩＢＭ", "ibm"),
        ("北大方正集团", "北大方正集团"),
        ("艾伦·图灵", "艾伦 图灵"),
        ("ガイド", "ガイド"),
        ("!!!", "!!!"),
    ],
)
def test_normalise(name, normal):
    assert names.normalise(name) == normal


@given(st.text())
def test_a_name_that_is_not_blank_has_a_normal_form(name):
    normal = names.normalise(name)
    assert bool(normal) == bool(name.strip())
    assert normal == " ".join(normal.split())


@pytest.mark.parametrize(
    ("a", "b"),
    [("Bell Labs", "Bell Laboratories"), ("Intel", "Intel Corporation"), ("Wang, Inc.", "Wang"),
     ("Computer History Centre", "Computer History Center")],
)  # fmt: skip
def test_core_leaves_out_legal_forms_and_spellings(a, b):
    assert names.core(a) == names.core(b)


@pytest.mark.parametrize(
    ("surface", "printed"),
    [
        ("the University of Cambridge’s", "University of Cambridge"),
        ("The University of Cambridge", "University of Cambridge"),
        ("The Hague", "The Hague"),
        ("J. Presper Eckert Jr.", "J. Presper Eckert Jr."),
        ("“Colossus”,", "Colossus"),
        ("I.B.M.", "I.B.M."),
        ("Grace\nHopper.", "Grace Hopper"),
    ],
)
def test_clean_gives_the_name_as_people_print_it(surface, printed):
    assert names.clean(surface) == printed


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Massachusetts Institute of Technology", "MIT"),
        ("the National Physical Laboratory", "NPL"),
        ("Compatible Time-Sharing System", "CTSS"),
        ("Colossus", ""),
        ("北京大学", ""),
    ],
)
def test_acronym(name, short):
    assert names.acronym(name) == short


@pytest.mark.parametrize(
    ("short", "name"),
    [
        ("ENIAC", "Electronic Numerical Integrator and Computer"),
        ("IBM", "International Business Machines Corporation"),
        ("HP", "Hewlett-Packard Company"),
        ("BASIC", "Beginner's All-purpose Symbolic Instruction Code"),
        ("W3C", "World Wide Web Consortium"),
        ("TMF", "The Music Factory"),
    ],
)
def test_acronyms_that_people_make(short, name):
    assert short in names.acronyms(name)


@pytest.mark.parametrize(
    ("short", "full", "fits"),
    [
        ("FORTRAN", "Formula Translation", True),
        ("COBOL", "Common Business-Oriented Language", True),
        ("UNIVAC", "Universal Automatic Computer", True),
        ("ARPA", "Department of Advanced Research Projects Agency", False),
        ("IBM", "Intel", False),
    ],
)
def test_abbreviates(short, full, fits):
    assert names.abbreviates(short, full) is fits


def test_letters_of_another_language_are_half_enough():
    assert names.half_abbreviates("CERN", "European Organization for Nuclear Research")
    assert not names.half_abbreviates("AT&T", "Bell Laboratories")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Alan Turing", PersonName(("alan",), "turing")),
        ("Turing", PersonName((), "turing")),
        ("Turing, Alan", PersonName(("alan",), "turing")),
        ("Dr. J. Presper Eckert, Jr.", PersonName(("j", "presper"), "eckert", (), "jr")),
        ("J.P. Eckert", PersonName(("j", "p"), "eckert")),
        ("John von Neumann", PersonName(("john",), "neumann", ("von",))),
        ("von Neumann", PersonName((), "neumann", ("von",))),
        ("Rear Admiral Grace Hopper", PersonName(("grace",), "hopper")),
        ("Lady Lovelace", PersonName((), "lovelace")),
        ("Ada, Countess of Lovelace", PersonName(("ada",), "lovelace")),
        ("Tim Berners-Lee", PersonName(("tim",), "berners lee")),
        ('John "Jack" Kilby', PersonName(("john",), "kilby")),
        ("Carol II", PersonName(("carol",), "ii")),
        ("王选", PersonName(("",), "王选")),
    ],
)
def test_parts_of_a_persons_name(name, parts):
    assert names.person(name) == parts


@pytest.mark.parametrize(
    ("a", "b", "least", "most"),
    [
        ("Alan Turing", "Alan Turing", 1.0, 1.0),
        ("Grace Hopper", "Grace Murray Hopper", 0.95, 1.0),
        ("J. Presper Eckert", "John Presper Eckert", 0.85, 0.9),
        ("Presper Eckert", "J. Presper Eckert", 0.85, 0.95),
        ("Bill Gates", "William Gates", 0.85, 0.95),
        ("Vint Cerf", "Vinton Cerf", 0.85, 0.95),
        ("Herman Goldstine", "Hermann Goldstine", 0.7, 0.95),
        ("J. Eckert Jr.", "J. Eckert", 0.85, 0.96),
        ("Thomas Watson Jr.", "Thomas Watson Sr.", 0.0, 0.0),
        ("John Mauchly", "Kathleen Mauchly", 0.0, 0.0),
        ("John Mauchly", "John Backus", 0.0, 0.0),
        ("David Rockefeller", "John D. Rockefeller", 0.0, 0.0),
        ("Joseph Octave Mousseau", "Joseph-Alfred Mousseau", 0.0, 0.0),
        ("Turing", "Alan Turing", 0.0, 0.0),
    ],
)
def test_compare_persons(a, b, least, most):
    one, other = names.person(a), names.person(b)
    assert least <= names.compare_persons(one, other) <= most
    assert names.compare_persons(one, other) == names.compare_persons(other, one)


def test_an_ending_that_makes_another_word_is_no_misspelling():
    assert names.near("goldstine", "goldstein")
    assert not names.near("armenia", "armenian")
    assert not names.near("edsac", "pdp11")


@pytest.mark.parametrize(
    ("surface", "gender"),
    [("Grace Hopper", "female"), ("Mrs. Mauchly", "female"), ("Sir Tony", "male"), ("J. William Mauchly", "male"),
     ("Zilog", ""), ("", "")],
)  # fmt: skip
def test_gender_of_a_name(surface, gender):
    assert names.gender(surface) == gender
