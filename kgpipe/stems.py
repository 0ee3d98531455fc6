"""Stems of English words that join a verb, its agent and its action: designer, designed and designing are design."""

from __future__ import annotations

import functools

_IRREGULAR = {
    form: stem
    for stem, forms in {
        "write": "wrote written writer", "build": "built builder", "make": "made maker", "win": "won winner winning",
        "teach": "taught teacher", "lead": "led leader", "buy": "bought buyer", "sell": "sold seller sale",
        "give": "gave given", "hold": "held holder", "bear": "born birth birthplace birthday", "die": "died death dead dying",
        "run": "ran runs running", "begin": "began begun", "choose": "chose chosen", "know": "knew known",
        "grow": "grew grown", "speak": "spoke spoken speaker", "sing": "sang sung singer", "fight": "fought",
        "take": "took taken", "lie": "lay lies", "base": "based", "wed": "wedding", "marry": "married marriage",
        "study": "studied studies student", "found": "founded founder founding foundation co-founded cofounded co-founder co-founders cofounder cofounders",
        "person": "people persons", "woman": "women", "man": "men", "child": "children", "wife": "wives",
        "country": "countries", "city": "cities", "advise": "advisor adviser advised", "live": "lived lives residence",
        "receive": "received recipient receiver receives", "acquire": "acquired acquisition", "lose": "lost",
        "publish": "published publication publisher", "locate": "located location", "succeed": "successor succeeded",
    }.items()
    for form in forms.split()
}  # fmt: skip
_SUFFIXES = "ing ers ors ees ed er or ee ions ion ments ment ies es s".split()


@functools.lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """The part that a verb, its agent and its action share: designer, designed, designing → design."""
    if word in _IRREGULAR:
        return _bare(_IRREGULAR[word])
    for suffix in _SUFFIXES:
        if (
            word.endswith(suffix)
            and len(word) - len(suffix) >= 3
            and not (suffix == "s" and word.endswith(("ss", "us", "is")))
        ):
            base = word[: -len(suffix)]
            return _bare(base + "y" if suffix == "ies" else base)
    return _bare(word)


def _bare(base: str) -> str:
    base = base.rstrip("e") if len(base) > 3 else base
    if len(base) > 3 and base[-1] == base[-2] and base[-1] not in "lsz":
        base = base[:-1]
    return base[:-1] + "i" if base.endswith("y") and len(base) > 3 else base
