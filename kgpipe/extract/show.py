"""What was extracted, for people: the text with its entities marked and its relations below, in a terminal or on a page.

Rows are those of `kgpipe extract` together with their text: {"id", "text", "mentions", "relations", "title"?, "error"?}.
"""

from __future__ import annotations

import html
import unicodedata
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kgpipe.colours import NO_COLOUR, of_types
from kgpipe.schema import Schema
from kgpipe.sentences import paragraphs, sentences

if TYPE_CHECKING:
    from rich.text import Text

Row = dict[str, Any]

LONGEST_NAME = 80
"""Characters of a name in a relation line, at most."""
STRETCH = 400
"""Characters at which a stretch of a long paragraph ends on the page, to have its relations near."""
_VISIBLE: dict[int, int | str] = {c: 0x2400 + c for c in range(0x20)}
"""What would act on the screen (control characters, bidi controls, half surrogate pairs) as one visible character."""
_VISIBLE |= dict.fromkeys([0x7F, *range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)], "\ufffd")
_VISIBLE |= dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
_VISIBLE |= dict.fromkeys(map(ord, "\t\r\x0b\x0c\x85\u2028\u2029"), " ") | {0x0A: "\n"}


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some whole sentences of a text, the mentions in them, and the relations that end there (mentions by index)."""

    start: int
    end: int
    opens: bool
    """Whether a paragraph begins with it."""
    mentions: list[dict[str, Any]]
    relations: list[dict[str, Any]]


def stretches(row: Row, *, least: int = 0) -> list[Stretch]:
    """The text of a row in stretches, which together hold all of it but white space.

    A stretch ends with a paragraph, or with the sentence that makes it `least` characters long, but never in a mention.
    """
    text, mentions = row["text"], row["mentions"]
    begins = {start for start, _ in paragraphs(text)}
    first = [m["start"] for m in mentions]
    starts: list[int] = []
    for start, _ in sentences(text):
        before = bisect_left(first, start) - 1
        inside = before >= 0 and mentions[before]["end"] > start
        if not starts or (not inside and (start in begins or start - starts[-1] >= least)):
            starts.append(start)
    ends = [*starts[1:], len(text)][: len(starts)]
    found = [
        Stretch(start, start + len(text[start:end].rstrip()), start in begins, [], [])
        for start, end in zip(starts, ends, strict=True)
    ]
    for m in mentions:
        found[bisect_right(starts, m["start"]) - 1].mentions.append(m)
    for r in row["relations"]:
        later = max(mentions[r["head"]]["start"], mentions[r["tail"]]["start"])
        found[bisect_right(starts, later) - 1].relations.append(r)
    for stretch in found:
        stretch.relations.sort(key=lambda r: (mentions[r["head"]]["start"], mentions[r["tail"]]["start"]))
    return found


def heading(row: Row) -> str:
    """What the row is and how much was found in it."""
    n_mentions, n_relations = len(row["mentions"]), len(row["relations"])
    counted = f"{n_mentions} mention{'s' * (n_mentions != 1)}, {n_relations} relation{'s' * (n_relations != 1)}"
    return f"{_one_line(_named(row))}: {counted}"


def lines(row: Row, by_type: dict[str, str], *, colour: bool) -> Iterator[Text]:
    """The row for a terminal, sentence by sentence; without colour entities are marked so: [Ada Lovelace|Person]."""
    from rich.text import Text

    yield Text(heading(row), style="bold" if colour else "")
    if row.get("error"):
        yield Text(f"failed: {_one_line(row['error'])}", style="red" if colour else "")
    shown = row["text"].translate(_VISIBLE).replace("\n", " ")
    for stretch in stretches(row):
        if stretch.opens:
            yield Text("")
        line = Text()
        at = stretch.start
        for m in stretch.mentions:
            line.append(shown[at : m["start"]])
            name = shown[m["start"] : m["end"]]
            if colour:
                paint = f"#000000 on {by_type.get(m['type'], NO_COLOUR)}"
                line.append(f"{name} ", style=paint).append(m["type"], style=f"italic {paint}")
            else:
                line.append(f"[{name}|{m['type']}]")
            at = m["end"]
        yield line.append(shown[at : stretch.end])
        for r in stretch.relations:
            yield Text(f"    {relation_line(row, r)}", style="" if asserted(r) or not colour else "dim")


def relation_line(row: Row, relation: dict[str, Any]) -> str:
    """A relation in one line: Ada Lovelace —BORN_ON→ 10 December 1815 (0.93)."""
    head, tail = (_isolated(_name(row, relation[end])) for end in ("head", "tail"))
    said = "" if asserted(relation) else f", {relation['polarity']}"
    return f"{head} —{relation['type']}→ {tail} ({relation['score']:.2f}{said})"


def asserted(relation: dict[str, Any]) -> bool:
    """Whether the text says the relation without negation or hedge."""
    return relation.get("polarity", "asserted") == "asserted"


def page(rows: Sequence[Row], schema: Schema, *, title: str) -> str:
    """One HTML page that needs nothing else: a legend, and every text by displaCy with its relations below."""
    by_type = of_types(schema)
    types = Counter(m["type"] for row in rows for m in row["mentions"])
    n_relations = sum(len(row["relations"]) for row in rows)
    legend = "".join(
        f'<li><mark style="background:{by_type.get(name, NO_COLOUR)}">{_safe(name)}</mark> {count}</li>'
        for name, count in sorted(types.items(), key=lambda item: (-item[1], item[0]))
    )
    texts = "".join(_section(row, by_type, alone=len(rows) == 1 and _named(row) == title) for row in rows)
    counted = f"{sum(types.values()):,} mentions and {n_relations:,} relations, schema {schema.name}"
    return _PAGE.format(style=_STYLE, title=_safe(title), counted=_safe(counted), legend=legend, texts=texts)


def _section(row: Row, by_type: dict[str, str], *, alone: bool) -> str:
    parts = [] if alone else [f'<h2 dir="auto">{_safe(_one_line(_named(row)))}</h2>']
    if row.get("error"):
        parts.append(f'<p class="error">failed: {_safe(_one_line(row["error"]))}</p>')
    if not row["text"].strip():
        parts.append("<p>no text</p>")
    for stretch in stretches(row, least=STRETCH):
        listed = "".join(_item(row, r, by_type) for r in stretch.relations)
        listed = f'<ul class="relations">{listed}</ul>' if listed else ""
        way = _direction(row["text"][stretch.start : stretch.end])  # dir="auto" would look at the names of types too
        parts.append(f'<div class="stretch"><div dir="{way}">{_marked(row, stretch, by_type)}</div>{listed}</div>')
    return f"<section>{''.join(parts)}</section>\n"


def _marked(row: Row, stretch: Stretch, by_type: dict[str, str]) -> str:
    from spacy import displacy

    def params(m: dict[str, Any]) -> dict[str, str]:
        value = f", {m['value']}" if m.get("value") else ""
        return {"bg": by_type.get(m["type"], NO_COLOUR), "tip": _safe(f"{m['type']}, {m['score']:.2f}{value}")}

    ents = [
        {
            "start": m["start"] - stretch.start,
            "end": m["end"] - stretch.start,
            "label": _safe(m["type"]),
            "params": params(m),
        }
        for m in stretch.mentions
    ]
    shown = {"text": row["text"][stretch.start : stretch.end].translate(_VISIBLE), "ents": ents}
    return displacy.render(shown, style="ent", manual=True, jupyter=False, options={"template": _ENTITY})


def _item(row: Row, relation: dict[str, Any], by_type: dict[str, str]) -> str:
    ends = []
    for end in ("head", "tail"):
        m = row["mentions"][relation[end]]
        colour = by_type.get(m["type"], NO_COLOUR)
        ends.append(f'<bdi style="border-color:{colour}">{_safe(_name(row, relation[end]))}</bdi>')
    said = "" if asserted(relation) else f" <em>{relation['polarity']}</em>"
    kind = "" if asserted(relation) else ' class="doubtful"'
    score = f'<span class="score">{relation["score"]:.2f}</span>'
    return f"<li{kind}>{ends[0]} <code>{_safe(relation['type'])} →</code> {ends[1]} {score}{said}</li>"


def _named(row: Row) -> str:
    return str(row.get("title") or row["id"])


def _name(row: Row, index: int) -> str:
    m = row["mentions"][index]
    return _one_line(row["text"][m["start"] : m["end"]])


def _one_line(text: str) -> str:
    words = " ".join(text.translate(_VISIBLE).split())
    return words if len(words) <= LONGEST_NAME else f"{words[: LONGEST_NAME - 1]}…"


def _isolated(name: str) -> str:
    """The name between the Unicode isolates where it is written from right to left, so that arrow and score stay."""
    turned = any(unicodedata.bidirectional(c) in ("R", "AL") for c in name)
    return f"\u2068{name}\u2069" if turned else name


def _direction(text: str) -> str:
    """The direction of the first letter that has one."""
    strong = (unicodedata.bidirectional(c) for c in text)
    return "rtl" if next((s for s in strong if s in ("L", "R", "AL")), "L") != "L" else "ltr"


def _safe(text: str) -> str:
    return html.escape(text.translate(_VISIBLE))


_ENTITY = (
    '<mark class="entity" style="background:{bg}" title="{tip}">'
    '<bdi>{text}</bdi><span class="type">{label}{kb_link}</span></mark>'
)
_STYLE = """
:root { color-scheme: light dark; --text: #1b1d22; --soft: #5c6370; --back: #fbfbf9; --line: #deded8; --card: #fff }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e6e3; --soft: #a2a7b0; --back: #17181b; --line: #34363c; --card: #1f2125 }
}
body { margin: 0 auto; max-width: 58rem; padding: 2rem 1.25rem 4rem; background: var(--back); color: var(--text);
  font: 17px/1.6 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.5rem; line-height: 1.3; margin: 0 } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem }
header p { color: var(--soft); margin: .2rem 0 .8rem }
.legend, .relations { list-style: none; margin: 0; padding: 0 }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1rem; font-size: .85rem; color: var(--soft); margin-bottom: 1.2rem }
.stretch { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .7rem 1rem; margin: .7rem 0 }
.entities { direction: inherit !important; line-height: 2.05 !important }
mark { color: #16171a; border-radius: .3em; padding: .14em .4em; box-decoration-break: clone;
  -webkit-box-decoration-break: clone; unicode-bidi: isolate }
.type { font-size: .68em; font-weight: 600; opacity: .72; margin-inline-start: .5em; user-select: none }
.relations { direction: ltr; columns: 22rem; column-gap: 2rem; border-top: 1px solid var(--line); margin-top: .6rem; padding-top: .5rem; font-size: .9rem }
.relations li { padding: .1rem 0; break-inside: avoid } .relations bdi { border-bottom: 3px solid }
code { font: .82em ui-monospace, "DejaVu Sans Mono", monospace; color: var(--soft); margin: 0 .3em }
.score { color: var(--soft); font-variant-numeric: tabular-nums; margin-inline-start: .5em }
.doubtful { opacity: .75 } .relations em { border: 1px solid; border-radius: .3em; padding: 0 .35em; font-size: .85em }
.error { color: #c0392b }
"""
_PAGE = """<!DOCTYPE html>
<html lang="und">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header><h1 dir="auto">{title}</h1><p>{counted}</p><ul class="legend">{legend}</ul></header>
<main>
{texts}</main>
</body>
</html>
"""
