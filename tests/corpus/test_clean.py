"""Cleaning gives regular text: one kind of space, of line end and of Unicode form."""

import re
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from kgpipe.corpus.clean import cleaned, folded_hash, mended


def test_mojibake_entities_and_invisible_characters_are_mended():
    assert mended("CafÃ© &amp; na\u00adive\u200b\ufeff") == "Café & naive"


def test_unicode_is_composed():
    assert mended("Go\u0308del") == "Gödel"


def test_chinese_punctuation_and_typographic_quotes_stay_as_written():
    assert mended("他说：“好！”，然后走了。 ‘Yes’") == "他说：“好！”，然后走了。 ‘Yes’"


def test_spaces_line_ends_and_empty_lines_are_regular():
    assert mended("a\u00a0b\t c  \r\nd\re\x0cf\n\n \n\n\u3000g\x00\x07") == "a b c\nd\ne\nf\n\ng"


def test_wrapped_lines_are_joined_and_paragraphs_kept_apart():
    wrapped = (
        "Grace Hopper was an American computer scientist, mathematician, and rear\n"
        "admiral of the United States Navy who wrote compilers.\n"
        "\n"
        "Life\n"
        "She was born in New York."
    )
    assert cleaned(wrapped) == (
        "Grace Hopper was an American computer scientist, mathematician, and rear admiral of the United States Navy "
        "who wrote compilers.\n\nLife\n\nShe was born in New York."
    )


def test_wrapped_chinese_lines_are_joined_without_a_space():
    line = "王选是中国计算机科学家" * 5
    assert cleaned(f"{line}\n{line}\n{line}") == line * 3


def test_a_hash_folds_case_and_white_space_only():
    assert folded_hash("The  ENIAC\n\nran.") == folded_hash("the eniac ran.")
    assert folded_hash("The ENIAC ran.") != folded_hash("The ENIAC ran")


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.text(st.characters(), min_size=1)))
def test_cleaned_text_can_be_stored_and_is_regular(text):
    found = cleaned(text)
    assert found.encode("utf-8").decode("utf-8") == found
    assert found == unicodedata.normalize("NFC", found) == found.strip()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]|[^\S\n]{2}|\n{3}| \n|\n ", found)
