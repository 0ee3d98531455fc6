"""The language of a text, by lingua's trigram models (70 MB; its full models need 900 MB for the same on long texts)."""

from __future__ import annotations

import functools
from typing import Any

_SAMPLE = 1000
"""Characters read at the beginning and in the middle."""
_LEAST_LETTERS = 25
_LEAST_CONFIDENCE = 0.6


def language_of(text: str) -> str:
    """The ISO 639-1 code, or empty where the text is too short or the detector not sure."""
    middle = len(text) // 2
    sample = text[:_SAMPLE] if len(text) <= 3 * _SAMPLE else f"{text[:_SAMPLE]}\n{text[middle : middle + _SAMPLE]}"
    # An ideograph or kana says as much as three letters of an alphabet.
    n_letters = sum((3 if "\u3040" <= c <= "\u9fff" else 1) for c in sample if c.isalpha())
    if n_letters < _LEAST_LETTERS:
        return ""
    best = _detector().compute_language_confidence_values(sample)[0]
    return best.language.iso_code_639_1.name.lower() if best.value >= _LEAST_CONFIDENCE else ""


@functools.lru_cache(maxsize=1)
def _detector() -> Any:
    from lingua import LanguageDetectorBuilder

    return LanguageDetectorBuilder.from_all_languages().with_low_accuracy_mode().build()
