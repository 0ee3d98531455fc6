import importlib.util
from pathlib import Path

import pytest

from kgpipe.extract.polarity import polarity


@pytest.mark.parametrize(
    ("sentence", "first", "second", "said"),
    [
        ("Turing worked for the school in Manchester.", "Turing", "Manchester", "asserted"),
        ("Turing never worked for IBM.", "Turing", "IBM", "negated"),
        ("Dijkstra did not own a television made by Philips.", "Dijkstra", "Philips", "negated"),
        ("She didn't study at Oxford.", "She", "Oxford", "negated"),
        ("Although he was not a student, Zuse founded Zuse KG.", "Zuse", "Zuse KG", "asserted"),
        ("Ada may have written the first program for the Analytical Engine.", "Ada", "Analytical Engine", "hedged"),
        ("It is often claimed that Babbage built the ABC.", "Babbage", "ABC", "hedged"),
        ("It is wrongly claimed that Babbage built the ABC.", "Babbage", "ABC", "negated"),
        ("In May 1949 Wilkes completed EDSAC.", "Wilkes", "EDSAC", "asserted"),
        ("Hopper not only designed FLOW-MATIC but promoted COBOL.", "Hopper", "FLOW-MATIC", "asserted"),
        ("Kay left Xerox but never joined Intel.", "Kay", "Xerox", "asserted"),
        ("Kay left Xerox but never joined Intel.", "Kay", "Intel", "negated"),
        ("Cray refused an offer from Burroughs.", "Cray", "Burroughs", "negated"),
        ("Intel was founded by Noyce; it is not clear who named it.", "Intel", "Noyce", "asserted"),
        ("His idea was turned down, so he left Datapoint and founded Viatron.", "he", "Viatron", "asserted"),
        ("Debian, which is not a company, was started by Murdock.", "Debian", "Murdock", "asserted"),
        ("It was not of much use. Metcalfe was born in Brooklyn.", "Metcalfe", "Brooklyn", "asserted"),
        ("He never met J. P. Eckert, who was born in Ambler.", "Eckert", "Ambler", "asserted"),
        ("He never met J. P. Eckert.", "He", "Eckert", "negated"),
        ("Cray did not join Univac until 1953.", "Cray", "1953", "asserted"),
        ("Noyce never left Intel.", "Noyce", "Intel", "asserted"),
        ("He did not know that Aiken taught at Harvard.", "Aiken", "Harvard", "asserted"),
        ("She never met her husband Vincent Hopper in Princeton.", "her", "Vincent Hopper", "asserted"),
        ("Zilog would later be bought by Exxon.", "Zilog", "Exxon", "asserted"),
        ("If he had stayed, Shockley would have joined Fairchild.", "Shockley", "Fairchild", "hedged"),
        ("It is not known whether Atanasoff met Zuse.", "Atanasoff", "Zuse", "hedged"),
        ("In some of his letters, Gauss wrote about Bolyai.", "Gauss", "Bolyai", "asserted"),
        ("\u201cI never said no\u201d, wrote Bush, who headed OSRD.", "Bush", "OSRD", "asserted"),
    ],
)
def test_cues_reach_the_relations_in_their_scope(sentence, first, second, said):
    spans = [(sentence.rindex(name), sentence.rindex(name) + len(name)) for name in (first, second)]
    if first == "Zuse":
        spans[0] = (sentence.index("Zuse"), sentence.index("Zuse") + 4)
    assert polarity(sentence, *spans) == said


def test_the_words_of_the_relation_itself_are_no_cues():
    sentence = "Dark City was nominated for a Hugo Award."
    ends = (0, 9), (sentence.index("Hugo"), len(sentence) - 1)
    assert polarity(sentence, *ends) == "hedged"
    assert polarity(sentence, *ends, "nominated for") == "asserted"


@pytest.fixture(scope="module")
def script():
    path = Path(__file__).parents[2] / "benchmarks" / "polarity.py"
    spec = importlib.util.spec_from_file_location("polarity_benchmark", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_negated_and_hedged_statements_are_recognised(script):
    pairs = [(row["polarity"], said) for row, said in script.read()]
    assert len(pairs) == 200
    for half in (pairs, pairs[::2], pairs[1::2]):  # the second half was held out when the rules were made
        figures = script.measure(half)
        assert min(figures["macro"], figures["micro"], figures["not_asserted"]) >= 0.85
        assert figures["asserted_lost"] <= 3


def test_no_gold_fact_of_the_sample_corpus_is_lost(script):
    said = [polarity for _, polarity in script.gold_facts()]
    assert len(said) > 300
    assert set(said) == {"asserted"}


def test_a_line_of_a_megabyte_is_no_trouble():
    sentence = "no, maybe, " * 90_000 + "Ada never met Bell." + " (if, not)" * 90_000
    start = sentence.index("Ada")
    assert polarity(sentence, (start, start + 3), (start + 14, start + 18)) == "negated"
