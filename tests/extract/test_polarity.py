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
    ],
)
def test_cues_reach_the_relations_in_their_scope(sentence, first, second, said):
    spans = [(sentence.rindex(name), sentence.rindex(name) + len(name)) for name in (first, second)]
    if first == "Zuse":
        spans[0] = (sentence.index("Zuse"), sentence.index("Zuse") + 4)
    assert polarity(sentence, *spans) == said
