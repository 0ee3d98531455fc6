"""Pages in wiki markup, alone or in a MediaWiki dump: links give their words, templates and references go, tables stay as rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from kgpipe.corpus.raw import CODE, CODE_END, Limits, NotReadable, Raw, code, sample, table_row, unmarked
from kgpipe.corpus.tabular import row_uri
from kgpipe.records import Failure, Removal, Removed

_NO_PROSE = re.compile(
    r"\s*:?(?:file|image|category|datei|bild|kategorie|fichier|catégorie|archivo|categoría|文件|图像|分类)\s*:",
    re.IGNORECASE,
)
_CODE_TAGS = ("syntaxhighlight", "source", "pre")
_HIDDEN_TAGS = ("ref", "references", "gallery", "math", "timeline", "imagemap", "score")
_REDIRECT = re.compile(r"\s*#(?:redirect|weiterleitung|redirection|重定向)", re.IGNORECASE)


def read_wikitext(uri: str, text: str) -> Iterator[Raw]:
    """One page."""
    yield page(uri, text)


def page(uri: str, text: str, *, title: str = "", time: str = "", metadata: dict[str, Any] | None = None) -> Raw:
    """The text of a page, a paragraph for each paragraph, heading, list item and table row."""
    import mwparserfromhell

    wikicode = mwparserfromhell.parse(unmarked(text))
    templates = [str(node) for node in wikicode.filter_templates(recursive=False)]
    n_templates, size, gone = len(templates), sum(map(len, templates)), "".join(templates[:1])
    _replace(wikicode, wikicode.filter_wikilinks(), lambda link: _NO_PROSE.match(str(link.title)), lambda link: "")
    _replace(wikicode, wikicode.filter_tags(), _is_code, lambda tag: f"\n\n{code(str(tag.contents))}\n\n")
    _replace(wikicode, wikicode.filter_tags(), lambda tag: str(tag.tag).lower() in _HIDDEN_TAGS, lambda tag: "")
    _replace(wikicode, wikicode.filter_tags(), lambda tag: str(tag.tag).lower() == "table", _table)
    plain = wikicode.strip_code(normalize=True, collapse=True)
    paragraphs: list[str] = []
    for part in re.split(f"({CODE}.*?{CODE_END})", plain, flags=re.DOTALL):
        if part.startswith(CODE):
            paragraphs.append(part)
        else:
            paragraphs += (re.sub(r"^[*#:;]+\s*", "", line) for line in part.split("\n") if line.strip())
    removals = (Removal("template", n_templates, size, sample(gone)),) if n_templates else ()
    return Raw(uri, "\n\n".join(paragraphs), title, time, "", metadata or {}, removals)


def _replace(wikicode: Any, nodes: list[Any], wanted: Any, by: Any) -> None:
    for node in nodes:
        if wanted(node):
            try:
                wikicode.replace(node, by(node))
            except ValueError:  # it stood inside one that is already replaced
                continue


def _is_code(tag: Any) -> bool:
    return str(tag.tag).lower() in _CODE_TAGS


def _table(table: Any) -> str:
    def cells(content: Any) -> list[str]:
        found = content.filter_tags(recursive=False, matches=lambda tag: str(tag.tag) in ("td", "th"))
        return [" ".join(cell.contents.strip_code().split()) for cell in found]

    # the first row may stand in the table itself
    rows = [cells(table.contents)]
    rows += [
        cells(row.contents)
        for row in table.contents.filter_tags(recursive=False, matches=lambda tag: str(tag.tag) == "tr")
    ]
    rows = [row for row in rows if any(row)]
    if len(rows) < 2:
        return "\n\n" + "; ".join(filter(None, rows[0] if rows else [])) + "\n\n"
    return "\n\n" + "\n\n".join(table_row(rows[0], row) for row in rows[1:]) + "\n\n"


def read_dump(uri: str, stream: BinaryIO, limits: Limits) -> Iterator[Raw | Failure | Removed]:
    """The articles of a MediaWiki export; other pages and redirects are named as removed."""
    from lxml import etree

    try:
        events = etree.iterparse(
            stream, events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True
        )
        root = None
        for event, element in events:
            if root is None:
                root = element
                if etree.QName(element).localname != "mediawiki":
                    raise NotReadable(f"no MediaWiki dump: its root is <{etree.QName(element).localname}>")
            if event != "end" or etree.QName(element).localname != "page":
                continue
            yield _dumped(uri, element, limits)
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        raise NotReadable(f"damaged XML: {error.msg}") from error


def _dumped(uri: str, element: Any, limits: Limits) -> Raw | Failure | Removed:
    def value(path: str) -> str:
        steps = "/".join(f"*[local-name()='{name}']" for name in path.split("/"))
        return str(element.xpath(f"string({steps})"))

    number, title, text = value("id"), value("title"), value("revision/text")
    own = row_uri(uri, number or title)
    if value("ns") not in ("", "0"):
        return Removed(own, "not an article but a page of another name space", len(text), sample(text), title)
    if element.xpath("*[local-name()='redirect']") or _REDIRECT.match(text):
        return Removed(own, "redirect to another page", len(text), sample(text), title)
    if len(text) > limits.max_bytes:
        return Failure("read", own, f"too large: {len(text):,} characters, {limits.max_bytes:,} allowed")
    author = value("revision/contributor/username")
    try:
        return page(
            own, text, title=title, time=value("revision/timestamp"), metadata={"author": author} if author else {}
        )
    except Exception as error:  # one page that its parser cannot take is a failure of that page
        return Failure("read", own, f"damaged wikitext: {error}", type(error).__name__)
