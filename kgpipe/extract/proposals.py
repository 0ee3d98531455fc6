"""Spans that the extractor looks at whatever the network thinks of them: pronouns, and what is written like a name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kgpipe.extract.network import MAX_WIDTH

PRONOUN = re.compile(r"\b(?:(?P<person>he|she|him|his|her)|it|its)\b", re.IGNORECASE)


def name_runs(words: Sequence[str], places: Sequence[int]) -> list[tuple[int, int]]:
    """First and last word of what is written like a name: Cray-1, Modula-3, IBM 701, New York, and titles in quotes.

    `places` are the numbers of the words' sentences; no run goes from one into the next.
    A run begins with a capital letter and holds capitalised words, numbers behind them, and what hyphens or dots join;
    empty words (the, in, he) do not begin it.
    """
    from spacy.lang.en.stop_words import STOP_WORDS

    runs: list[tuple[int, int]] = []
    i = 0
    while i < len(words):
        empty = words[i].lower() in STOP_WORDS and not (len(words[i]) > 1 and words[i].isupper())
        if words[i][0].isupper() and not empty:
            last = i
            j = i + 1
            while j < len(words) and places[j] == places[i]:
                joined = words[j] in "-–./+&'’" and j + 1 < len(words) and words[j + 1][0].isalnum()
                if words[j][0].isupper() or (words[j][0].isdigit() and (words[j - 1] in "-–" or last == j - 1)):
                    last = j
                elif not joined or (words[j] == "." and not (len(words[j - 1]) == 1 and words[j - 1].isupper())):
                    break
                j += 1
            runs.append((i, last))
            i = last
        i += 1
    opening = None
    for i, word in enumerate(words):
        if word in '“"' and (opening is None or word == "“"):
            opening = i + 1
        elif word in '”"' and opening is not None:
            if opening < i and words[opening][0].isupper():
                runs.append((opening, i - 1))
            opening = None
    return [(a, b) for a, b in runs if b - a < MAX_WIDTH and places[a] == places[b]]
