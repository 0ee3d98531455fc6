"""Text as it came to text as it is stored: encoding damage mended, Unicode composed, white space regular.

Offsets of every later stage refer to what `cleaned` gives.
"""

from __future__ import annotations

import re
import unicodedata

import ftfy

from kgpipe.records import content_id
from kgpipe.sentences import paragraphs

# Quotes stay as written, and full-width punctuation stays too: in Chinese it is the ordinary one.
_MEND = ftfy.TextFixerConfig(uncurl_quotes=False, fix_character_width=False, normalization=None)
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufffe\uffff]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile(r"[^\S\n ][^\S\n]*| [^\S\n]+")  # all but a single space
_CJK = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]")


def mended(text: str) -> str:
    """The text with mojibake repaired, invisible and control characters gone, one kind of line end and of space, NFC.

    Lines stay; at most one empty line stands between two.
    """
    lines = _LINE_END.sub("\n", text).split("\n")
    # An `&lt;` in a text that has tags of its own is meant so.
    mend = _MEND._replace(unescape_html="<" not in text)
    text = "\n".join(line if line.isascii() and "&" not in line else ftfy.fix_text(line, mend) for line in lines)
    text = _CONTROL.sub("", _INVISIBLE.sub("", _LINE_END.sub("\n", text)))
    text = "\n".join(line.strip() for line in _SPACES.sub(" ", text).split("\n")).strip()
    return unicodedata.normalize("NFC", re.sub(r"\n{3,}", "\n\n", text))


def cleaned(text: str) -> str:
    """The mended text, one line a paragraph and an empty line between two; lines wrapped by hand are joined."""
    text = mended(text)
    return "\n\n".join(_joined(text[start:end]) for start, end in paragraphs(text))


def folded_hash(text: str) -> str:
    """A hash that is the same for texts that differ in case and white space only."""
    return content_id("folded", " ".join(text.casefold().split()))


def _joined(paragraph: str) -> str:
    lines = paragraph.split("\n")
    joined = lines[0]
    for before, line in zip(lines, lines[1:], strict=False):
        gap = "" if _CJK.match(before[-1:]) and _CJK.match(line) else " "  # Chinese puts no space between words
        joined += gap + line
    return joined
