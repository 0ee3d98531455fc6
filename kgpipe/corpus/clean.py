"""Text as it came to text as it is stored: encoding damage mended, Unicode composed, white space regular.

Offsets of every later stage refer to what `clean` gives. What it takes out is counted, with a sample; code, reference
lists and pages are marked.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ftfy

from kgpipe.corpus.raw import CODE, CODE_END, PAGE, sample
from kgpipe.records import Mark, Removal, content_id
from kgpipe.sentences import paragraphs

# Quotes stay as written, and full-width punctuation stays too: in Chinese it is the ordinary one.
_MEND = ftfy.TextFixerConfig(uncurl_quotes=False, fix_character_width=False, normalization=None)
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufffe\uffff]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile(r"[^\S\n ][^\S\n]*| [^\S\n]+")  # all but a single space
_CJK = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]")


DROPS = ("boilerplate", "repeated")
"""What `clean` can take out: lines of consent, navigation and copyright; paragraphs that come again and again."""
_OFTEN = 3
"""How often a paragraph stands in a text that is taken for a repeated line."""
_BOILERPLATE = re.compile(
    r"(?:skip to (?:main )?content|(?:we|this (?:web)?site|our partners?) uses? cookies|accept (?:all )?cookies|cookie (?:policy|settings)"
    r"|all rights reserved|(?:subscribe|sign up) (?:to|for) (?:our|the) newsletter|share (?:this )?(?:on|via) (?:facebook|twitter|x|linkedin|whatsapp)"
    r"|follow us on|terms (?:of (?:use|service)|and conditions)|privacy policy|please enable javascript|javascript is (?:disabled|required)"
    r"|back to top|click here to|you are here:|this page was last (?:edited|modified))",
    re.IGNORECASE,
)
_BOILERPLATE_WORDS = 30
"""Words of a paragraph that may be boilerplate, at most."""
_NAVIGATION = frozenset(
    "home about contact login logout menu search sitemap imprint privacy help faq news blog shop cart register "
    "subscribe download downloads next previous top back share print".split()
)
_ITEMS = re.compile(r"\s*[|·›»•/>]\s*")
_REFERENCES = re.compile(
    r"(?:\d+\.?\s+)?(?:references?|bibliography|works cited|literature cited|cited literature|notes and references|sources"
    r"|literatur(?:verzeichnis)?|quellen|einzelnachweise|références|bibliographie|参考文献|參考文獻)\s*:?",
    re.IGNORECASE,
)
_CITATION = re.compile(
    r"^\s*(?:\[\w+\]|\(\d+\)|\d{1,3}[.)]|\^)|\bdoi\b|https?://|\bpp?\.\s*\d|\(\d{4}[a-z]?\)|\bet al\b|\bISBN\b|\bvol\.|[:,]\s*\d+[-–]\d+"
    r"|\b(?:19|20)\d\d\b.{0,40}$"
)


@dataclass(frozen=True, slots=True)
class Clean:
    """A cleaned text, its marks in order of their beginning, what was taken out, and the text with that still in it."""

    text: str
    marks: tuple[Mark, ...] = ()
    removals: tuple[Removal, ...] = ()
    whole: str = ""


def mended(text: str) -> str:
    """The text with mojibake repaired, invisible and control characters gone, one kind of line end and of space, NFC.

    Lines stay; at most one empty line stands between two.
    """
    return _mended(text)[0]


def _mended(text: str) -> tuple[str, list[str]]:
    """The mended text and the lines whose characters were damaged."""
    lines = _LINE_END.sub("\n", text).split("\n")
    # An `&lt;` in a text that has tags of its own is meant so.
    mend = _MEND._replace(unescape_html="<" not in text)
    damaged: list[str] = []
    for i, line in enumerate(lines):
        if not line.isascii() or "&" in line:
            lines[i] = ftfy.fix_text(line, mend)
            if lines[i] != line:
                damaged.append(line)
    text = "\n".join(lines)
    text = _CONTROL.sub("", _INVISIBLE.sub("", _LINE_END.sub("\n", text)))
    text = "\n".join(line.strip() for line in _SPACES.sub(" ", text).split("\n")).strip()
    return unicodedata.normalize("NFC", re.sub(r"\n{3,}", "\n\n", text)), damaged


def cleaned(text: str) -> str:
    """The mended text, one line a paragraph and an empty line between two; lines wrapped by hand are joined."""
    return clean(text).text


def clean(text: str, *, drop: Sequence[str] = ()) -> Clean:
    """The cleaned text with its marks; `drop` names what is taken out, of DROPS.

    Paragraphs are lines with an empty line between two. Code keeps its lines.
    """
    blocks: list[tuple[str, bool]] = []  # text, is code
    damaged: list[str] = []
    for i, piece in enumerate(re.split(f"{CODE}(.*?){CODE_END}", text, flags=re.DOTALL)):
        piece, found = _mended(piece.replace(CODE, "").replace(CODE_END, ""))
        damaged += found
        if i % 2:
            blocks += [(piece, True)] if piece else []
        else:
            blocks += [(_joined(piece[start:end]), False) for start, end in paragraphs(piece)]
    removals = [Removal("encoding mended", len(damaged), 0, sample(damaged[0]))] if damaged else []
    every = blocks
    for kind in drop:
        blocks, gone = _without(blocks, {"boilerplate": _is_boilerplate, "repeated": _repeated(blocks)}[kind])
        if gone:
            removals.append(Removal(kind, len(gone), sum(map(len, gone)), sample(gone[0])))
    parts: list[str] = []
    marks: list[Mark] = []
    pages: list[int] = []
    spans: list[tuple[int, int]] = []
    length = 0
    for block, is_code in blocks:
        plain = block.replace(PAGE, "")
        begins = [match.start() - i for i, match in enumerate(re.finditer(PAGE, block))]  # offsets into `plain`
        shift = 2 * bool(parts)
        lead = len(plain) - len(plain.lstrip())
        plain = plain.strip()
        start = length + shift if plain else length
        pages += [start + min(max(at - lead, 0), len(plain)) for at in begins]
        if plain:
            parts.append(plain)
            length = start + len(plain)
            spans.append((start, length))
            marks += [Mark(start, length, "code")] if is_code else []
    marks += _reference_lists(parts, spans)
    ends = [*pages[1:], length]
    marks += [Mark(a, b, "page", str(i)) for i, (a, b) in enumerate(zip(pages, ends, strict=False), 1) if a < b]
    marks.sort(key=lambda mark: (mark.start, mark.end, mark.kind))
    text = "\n\n".join(parts)
    whole = text if every is blocks else "\n\n".join(block.replace(PAGE, "") for block, _ in every)
    return Clean(text, tuple(marks), tuple(removals), whole)


def _without(
    blocks: list[tuple[str, bool]], is_gone: Callable[[str], bool]
) -> tuple[list[tuple[str, bool]], list[str]]:
    """The blocks that stay, with the page marks of those before them that went, and what went."""
    kept: list[tuple[str, bool]] = []
    gone: list[str] = []
    marks = ""
    for block, is_code in blocks:
        if not is_code and is_gone(block.replace(PAGE, "")):
            gone.append(block.replace(PAGE, ""))
            marks += PAGE * block.count(PAGE)
        else:
            kept.append((marks + block, is_code))
            marks = ""
    return kept, gone


def _is_boilerplate(paragraph: str) -> bool:
    """Whether a short paragraph is about the page and not its subject: consent, copyright, or a row of links."""
    items = [item.casefold() for item in _ITEMS.split(paragraph.strip(" |·›»•/>"))]
    if len(items) >= 3 and sum(item in _NAVIGATION for item in items) >= max(2, len(items) // 3):
        return True
    if len(paragraph) > 400 or len(paragraph.split()) > _BOILERPLATE_WORDS:
        return False
    return bool(
        _BOILERPLATE.match(paragraph)
        or re.match(r"(?:copyright\s+)?(?:©|\(c\))\s*(?:copyright\s*)?\d{4}", paragraph, re.I)
    )


def _repeated(blocks: list[tuple[str, bool]]) -> Callable[[str], bool]:
    """Whether a paragraph stands often in the text and was met before: the first one stays."""
    often = {text for text, n in Counter(block for block, is_code in blocks if not is_code).items() if n >= _OFTEN}
    met: set[str] = set()

    def is_gone(paragraph: str) -> bool:
        if paragraph not in often or not any(c.isalnum() for c in paragraph):
            return False
        again = paragraph in met
        met.add(paragraph)
        return again

    return is_gone


def _reference_lists(parts: Sequence[str], spans: Sequence[tuple[int, int]]) -> list[Mark]:
    """Marks of what follows a heading such as References, as long as it looks like citations."""
    found: list[Mark] = []
    i = 0
    while i < len(parts):
        if _REFERENCES.fullmatch(parts[i]):
            last = i
            for j in range(i + 1, len(parts)):
                if _CITATION.search(parts[j]):
                    last = j
                elif j - last > 1:  # one line in between may be the rest of an entry
                    break
            if last > i:
                found.append(Mark(spans[i][0], spans[last][1], "references"))
                i = last
        i += 1
    return found


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
