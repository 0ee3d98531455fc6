"""Paragraph and sentence borders as true offsets: nupunkt for alphabetic scripts, full stops for Chinese and Japanese."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

WORD = re.compile(r"[^\W_]+|[^\w\s]|_")
"""A word as the extractor counts it: a run of letters and digits, or one other character that is no white space."""

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_CJK_END = re.compile(r"[。！？!?]+[”’」』）》]*")
_BULLET = re.compile(r"([-*+•‣▪–—]|\d{1,3}[.)])\s")
_NARROWEST, _WIDEST = 50, 120
"""Columns between which text is wrapped by hand; wider lines are paragraphs."""


def sentences(text: str) -> list[tuple[int, int]]:
    """The sentences as (start, end) into the text, in order, without the white space between them.

    A sentence never crosses the border of a paragraph. Every character that is no white space is in one sentence.
    """
    found: list[tuple[int, int]] = []
    for start, end in paragraphs(text):
        paragraph = text[start:end]
        if len(_CJK.findall(paragraph)) * 3 > len(paragraph):
            cuts = [match.end() for match in _CJK_END.finditer(paragraph)]
        else:
            cuts = [stop for _, stop in _nupunkt()(paragraph)]
        begin = 0
        for cut in [*cuts, len(paragraph)]:
            found.append(_trimmed(text, start + begin, start + max(begin, cut)))
            begin = max(begin, cut)
    return [(start, end) for start, end in found if start < end]


def paragraphs(text: str) -> list[tuple[int, int]]:
    """The paragraphs as (start, end) into the text, in order, without the white space around them.

    Empty lines are borders. A single line break is one as well, except where a line was wrapped by hand: the next
    line goes on in lower case, or its first word would not have fitted into the width that the text keeps.
    """
    lines = [_trimmed(text, m.start(), m.end()) for m in re.finditer(r"[^\n]+", text)]
    lines = [(start, end) for start, end in lines if start < end]
    adjacent = [text.count("\n", end, begin) == 1 for (_, end), (begin, _) in zip(lines, lines[1:], strict=False)]
    lengths = sorted(end - start for (start, end), near in zip(lines, adjacent, strict=False) if near)
    width = lengths[len(lengths) * 9 // 10] if lengths else 0
    found: list[tuple[int, int]] = []
    for i, (start, end) in enumerate(lines):
        if i and adjacent[i - 1] and _wrapped(text[slice(*lines[i - 1])], text[start:end], width):
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def n_words(text: str) -> int:
    """How many words the text has, as the extractor counts them."""
    return sum(1 for _ in WORD.finditer(text))


def _wrapped(line: str, following: str, width: int) -> bool:
    """Whether the break between two lines is only where the line was full."""
    if _BULLET.match(following) or (line[-1] in "。！？" and _CJK.match(following)):
        return False
    if following[0].islower():
        return True
    first = following[:1] if _CJK.match(following) else following.split(maxsplit=1)[0]
    return _NARROWEST <= width <= _WIDEST and len(line) + 1 + len(first) > width


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


@functools.lru_cache(maxsize=1)
def _nupunkt() -> Callable[[str], list[tuple[int, int]]]:
    from nupunkt import sent_spans

    return sent_spans
