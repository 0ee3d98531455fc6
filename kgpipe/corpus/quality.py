"""Filters that keep documents out which are no prose: each has a reason, and what it removes is listed.

After the rules of Gopher (Rae et al. 2021) and C4, with limits so loose that a short note or a table passes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

_LEAST = 200
"""Characters below which a text is too short to be judged."""
_JUDGED = 500_000
"""Characters by which a long text is judged."""
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def _symbols(text: str) -> str:
    solid = [c for c in text if not c.isspace()]
    share = sum(c.isalpha() for c in solid) / len(solid)
    return f"mostly digits and symbols ({share:.0%} letters, 40% needed)" if share < 0.4 else ""


def _repetition(text: str) -> str:
    lines = [line for line in text.split("\n") if line]
    again = sum((n - 1) * len(line) for line, n in Counter(lines).items())
    if len(lines) >= 10 and again > 0.5 * len(text):
        return f"repeats its lines ({again / len(text):.0%} of the text, 50% allowed)"
    words = text.split()
    if len(words) >= 100:
        word, n = Counter(words).most_common(1)[0]
        if n > 0.4 * len(words):
            return f'repeats one word ("{word[:20]}" is {n / len(words):.0%} of all, 40% allowed)'
    return ""


def _words(text: str) -> str:
    if len(_CJK.findall(text[:2000])) * 10 > len(text[:2000]):
        return ""
    words = text.split()
    long = sum(len(word) for word in words if len(word) > 100)
    if long > 0.5 * len(text):
        return f"no words but encoded data ({long / len(text):.0%} of it in words over 100 characters)"
    return ""


def _placeholder(text: str) -> str:
    return "placeholder text (lorem ipsum)" if "lorem ipsum dolor sit amet" in text[:5000].lower() else ""


FILTERS: dict[str, Callable[[str], str]] = {
    "symbols": _symbols, "repetition": _repetition, "words": _words, "placeholder": _placeholder,
}  # fmt: skip
"""By name: text to the reason for which it is no prose, or empty."""


def reason_to_remove(text: str, *, filters: Sequence[str], min_words: int = 0) -> str:
    """Why a cleaned text is kept out, or empty. A Chinese or Japanese character counts as a word."""
    if min_words:
        n_words = len(text.split()) + len(_CJK.findall(text))
        if n_words < min_words:
            return f"shorter than min_words ({min_words})"
    if len(text) < _LEAST:
        return ""
    text = text[:_JUDGED]
    return next(filter(None, (FILTERS[name](text) for name in filters)), "")
