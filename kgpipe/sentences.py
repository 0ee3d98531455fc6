"""Sentence borders as true offsets: nupunkt for alphabetic scripts, full stops of their own for Chinese and Japanese."""

from __future__ import annotations

import functools
import re

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_CJK_END = re.compile(r"[。！？!?]+[”’」』）]*|\n+")


def sentences(text: str) -> list[tuple[int, int]]:
    """The sentences as (start, end) into the text, in order, without the white space between them.

    A line break that follows the end of a line of Markdown or plain text ends a sentence when the line before it is
    a paragraph of its own (an empty line follows); single line breaks do not.
    """
    found: list[tuple[int, int]] = []
    for start, end in _paragraphs(text):
        paragraph = text[start:end]
        if len(_CJK.findall(paragraph)) * 3 > len(paragraph):
            spans = _split(_CJK_END, paragraph)
        else:
            spans = _nupunkt()(paragraph)
        found.extend(_trimmed(text, start + s, start + e) for s, e in spans)
    return [(s, e) for s, e in found if s < e]


def _paragraphs(text: str) -> list[tuple[int, int]]:
    return _split(re.compile(r"\n[ \t]*\n\s*"), text)


def _split(border: re.Pattern[str], text: str) -> list[tuple[int, int]]:
    spans, start = [], 0
    for match in border.finditer(text):
        spans.append((start, match.end()))
        start = match.end()
    return [*spans, (start, len(text))]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


@functools.lru_cache(maxsize=1)
def _nupunkt():
    from nupunkt import sent_spans

    return sent_spans
