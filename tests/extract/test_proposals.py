import pytest

from kgpipe.extract.data import WORD
from kgpipe.extract.proposals import name_runs


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("The Cray-1 was designed by Seymour Cray.", ["Cray-1", "Seymour Cray"]),
        ("Python was influenced by ABC and Modula-3. In July he left.", ["Python", "ABC", "Modula-3", "July"]),
        ("J. Presper Eckert ran the IBM 701 at AT&T Bell Labs.", ["J. Presper Eckert", "IBM 701", "AT&T Bell Labs"]),
        (
            'She wrote “Weaving the Web” and read "As We May Think" twice.',
            ["Web", "Weaving the Web", "As We May Think"],
        ),
        ("However, the first of them was never built.", []),
    ],
)
def test_what_is_written_like_a_name_is_proposed(text, names):
    found = list(WORD.finditer(text))
    words = [m.group() for m in found]
    places = [text[: m.start()].count(". ") if "In July" in text else 0 for m in found]
    runs = [text[found[a].start() : found[b].end()] for a, b in name_runs(words, places)]
    assert set(names) <= set(runs)
    assert not {"The", "She", "However", "In"} & set(runs)


def test_no_name_runs_from_one_sentence_into_the_next():
    assert name_runs(["Intel", "Intel", "Corporation"], [0, 1, 1]) == [(0, 0), (1, 2)]
