"""The words of a question: tokens with offsets and stems, and what is no content."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kgpipe.stems import stem

_TOKEN = re.compile(r"[^\W_]+(?:[.'’&+/-][^\W_]+)*[+#]*(?:'s\b)?|[\u3040-\u30ff\u3400-\u9fff]")
_POSSESSIVE = re.compile(r"['’]s?$")

FUNCTION = frozenset(
    "a an the of in on at by for from to with and or but as into onto over under about after before since until between during "
    "is are was were be been being am do does did done has have had having can could will would shall should may might must "
    "it its he him his she her hers they them their this that these those there here not no nor than then so such "
    "who whom whose which what when where why how many much if any some both each every all also ever yet else up out "
    "i me my we us our you your".split()
)
"""Words that carry the frame of a question, never its content."""

LIGHT = frozenset(
    "name named names call called known tell list give show find please thing things something anything someone somebody anyone "
    "anybody people person persons number count total different exist exists get got say said graph first full "
    "year date day month time place happen happened part role kind type sort one ones exactly currently originally "
    "actually famous later mention mentioned".split()
)
"""Words whose loss does not change what is asked."""

SYNONYMS = {
    form: meant
    for meant, forms in {
        "knows": "acquainted acquaintance acquaintances familiar",
        "located in": "lie lies lying sit sits sitting situated",
        "location": "home homes residence residences house houses where",
        "area": "region regions neighborhood neighbourhood neighborhoods neighbourhoods district districts",
        "post": "zip postal",
        "lives in": "reside resides residing resided resident residents inhabitant inhabitants dwell dwells dwelling inhabit inhabits",
        "lives with": "roommate roommates housemate housemates flatmate flatmates cohabiting cohabits cohabit",
        "family relation": "relative relatives kin kinship related relation family",
        "friends with": "buddy buddies pal pals friendship",
        "phone number": "contact",
        "location place": "site sites scene scenes spot spots venue venues",
        "received": "got get gets incoming answered receiving",
        "made": "placed outgoing dialed dialled placing",
        "crime": "case cases incident incidents offence offences offense offenses criminal",
        "officer": "cop cops policeman policemen",
        "works for": "employee employees employed employs employer staff",
        "wrote": "author authors authored penned screenwriter screenwriters",
        "award received": "laureate laureates recipient recipients winner winners honoree honorees",
        "acquired": "acquisition acquisitions takeover takeovers",
        "spouse": "wedded wed",
        "directed": "helmed helms helm",
        "acted in": "actor actors actress actresses star starred starring stars cast appear appeared appears play plays played playing "
        "feature features featured featuring",
        "supplies": "supplier suppliers vendor vendors",
        "purchased ordered": "bought buy buys buyer buyers purchaser",
        "involved in": "suspect suspects suspected culprit culprits offender offenders perpetrator perpetrators",
        "owns": "owner owners possess possesses possessed",
    }.items()
    for form in forms.split()
}  # fmt: skip
"""Words that sentence vectors keep apart from what is meant."""
ROLES = frozenset(
    "friend friends relative relatives acquaintance acquaintances roommate roommates housemate housemates flatmate flatmates "
    "neighbour neighbours neighbor neighbors colleague colleagues coworker coworkers resident residents inhabitant inhabitants kin relation relations "
    "suspect suspects culprit culprits perpetrator perpetrators offender offenders victim victims witness witnesses "
    "member members owner owners parent parents child children sibling siblings brother sister spouse wife husband "
    "son sons daughter daughters mother mothers father fathers brothers sisters wives husbands".split()
)  # fmt: skip
"""Nouns for someone by a link to another."""

INDEFINITE = frozenset(
    "someone somebody anyone anybody everyone everybody whoever whomever people person persons individual individuals those others".split()
)
"""Words for any person."""

BEYOND = frozenset(
    "not never no nor neither without except besides or unless didn't wasn't isn't doesn't don't weren't".split()
)
"""Words of negation, exclusion and alternatives."""

AUXILIARY = frozenset("is are was were do does did has have had can could will would".split())
BE = frozenset("is are was were be been being".split())
PREPOSITION = frozenset("of in on at by for from to with into during under after before since as about".split())


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a question; `lower` is without the possessive, `stem` joins its relatives."""

    start: int
    end: int
    text: str
    lower: str
    stem: str
    possessive: bool = False


def one_line(text: str) -> str:
    """The text without line breaks and without half surrogate pairs, which neither tokenizer nor driver take."""
    return " ".join(text.encode("utf-8", "replace").decode("utf-8").split())


def words(text: str) -> list[Word]:
    """The words of a text in order; `C++`, `PDP-11`, `O'Brien` and `C#` are one word each."""
    found = []
    for match in _TOKEN.finditer(text):
        plain = _POSSESSIVE.sub("", match.group()) or match.group()
        lower = plain.casefold()
        possessive = plain != match.group() or text[match.end() : match.end() + 1] in ("'", "’")
        found.append(Word(match.start(), match.end(), match.group(), lower, stem(lower), possessive))
    return found


def content_stems(text: str) -> tuple[str, ...]:
    """Stems of the words of a phrase that carry content, in order."""
    return tuple(w.stem for w in words(text) if w.lower not in FUNCTION)
