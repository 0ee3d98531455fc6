"""Sentences and paragraphs have true offsets, whatever the text."""

from hypothesis import given, settings
from hypothesis import strategies as st

from kgpipe.sentences import n_words, paragraphs, sentences


def said(text):
    return [text[start:end] for start, end in sentences(text)]


def paragraph_texts(text):
    return [text[start:end] for start, end in paragraphs(text)]


TEXTS = st.one_of(
    st.text(),
    st.lists(
        st.sampled_from(["Dr. Smith", " ", "\n", "\n\n", ". ", "! ", "No. 5", "“Yes.” ", "he said", "図書館。", "的", "？", "J. P.",
                         "\t", "\u3000", "\u2028", "e\u0301", "a", "A", "- ", "…", "\r\n", "\x1f", "😀"])
    ).map("".join),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_sentences_are_ordered_trimmed_and_cover_everything_but_white_space(text):
    spans = sentences(text)
    assert all(start < end and text[start:end] == text[start:end].strip() for start, end in spans)
    assert all(before[1] <= after[0] for before, after in zip(spans, spans[1:], strict=False))
    between = text
    for start, end in reversed(spans):
        between = between[:start] + between[end:]
    assert between.strip() == ""


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_no_sentence_crosses_the_border_of_a_paragraph(text):
    blocks = paragraphs(text)
    assert all(any(b <= start and end <= e for b, e in blocks) for start, end in sentences(text))


def test_abbreviations_and_initials_end_no_sentence():
    assert said("Mr. J. Presper Eckert Jr. worked with Dr. Mauchly. They met at 3 p.m. on Walnut St. in Philadelphia.") == [
        "Mr. J. Presper Eckert Jr. worked with Dr. Mauchly.",
        "They met at 3 p.m. on Walnut St. in Philadelphia.",
    ]  # fmt: skip


def test_chinese_sentences_end_at_their_own_full_stops():
    assert said("王选生于1937年。他说：“我们成功了！”后来呢？他发明了激光照排") == [
        "王选生于1937年。", "他说：“我们成功了！”", "后来呢？", "他发明了激光照排",
    ]  # fmt: skip


def test_a_heading_is_a_sentence_of_its_own():
    text = "Background\nOn October 8 he came to Shreveport. He stayed.\n\nLater life\n\nHe died."
    assert said(text) == ["Background", "On October 8 he came to Shreveport.", "He stayed.", "Later life", "He died."]


WRAPPED = """The ENIAC was designed by John Mauchly and J. Presper Eckert of the University
of Pennsylvania, and construction of it began in 1943 under the code name Project
PX. It was announced in 1946.

It calculated artillery tables for the Ballistic Research Laboratory of the United
States Army."""


def test_lines_wrapped_by_hand_are_one_paragraph():
    assert paragraph_texts(WRAPPED) == WRAPPED.split("\n\n")
    assert len(said(WRAPPED)) == 3


def test_lines_that_were_not_full_are_paragraphs():
    listed = "Founders:\n- William Hewlett\n- David Packard\nThe firm was founded in 1939."
    assert paragraph_texts(listed) == listed.split("\n")


def test_one_line_a_paragraph_is_seen_by_the_long_lines():
    text = "\n".join(["The first paragraph is long. " * 10, "History", "The second is long as well. " * 8])
    assert paragraph_texts(text) == [line.strip() for line in text.split("\n")]


def test_words_are_counted_as_the_extractor_counts_them():
    assert n_words("J. Presper Eckert's UNIVAC_I, 1951") == 11
