"""One reader for each kind of file: bytes to raw texts, markup to paragraphs.

Left out on purpose: code blocks, pictures and comments of Markdown and HTML, and what surrounds the article on an HTML page.
"""

from __future__ import annotations

import gzip
import json
import logging
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from kgpipe.corpus.sources import kind_of
from kgpipe.records import Failure

_log = logging.getLogger(__name__)

_PARAGRAPH = "\n\n"
_LANGUAGE = re.compile(r"[a-z]{2}")
_CHARSET = re.compile(rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that lxml reads but does not take."""
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)


class NotReadable(ValueError):
    """A text cannot be read; the message is the reason of its failure."""


@dataclass(frozen=True, slots=True)
class Raw:
    """One text as its file gives it: without markup, not yet cleaned."""

    uri: str
    text: str
    title: str = ""
    time: str = ""
    language: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)


def read_file(path: Path, *, max_bytes: int) -> Iterator[Raw | Failure]:
    """The texts of a file: one, or one a row of a JSONL file; failures in the place of what cannot be read.

    `max_bytes` bounds the file and what a .gz unpacks to; for JSONL the file and each row.
    """
    uri, kind = path.as_uri(), kind_of(path)
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise NotReadable(
                f"too large: {size:,} bytes, {max_bytes:,} allowed; split it, or raise max_bytes in kgpipe.toml"
            )
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as stream:
            if kind == "jsonl":
                yield from _rows(uri, stream, max_bytes)
                return
            data = stream.read(max_bytes + 1)
        if len(data) > max_bytes:
            raise NotReadable(f"too large: unpacks to more than the {max_bytes:,} bytes allowed")
        text = decoded(data, kind)
        yield {"markdown": _markdown, "html": _html}.get(kind, Raw)(uri, text)
    except NotReadable as error:
        yield Failure("read", uri, str(error))
    except OSError as error:  # BadGzipFile is one
        yield Failure("read", uri, f"cannot be read: {error.strerror or error}", type(error).__name__)
    except (EOFError, zlib.error) as error:
        yield Failure("read", uri, f"damaged .gz: {error}", type(error).__name__)


def title_from_name(path: Path) -> str:
    """The file name in words: `konrad-zuse.txt.gz` is "konrad zuse"."""
    stem = os.fsencode(path.name).decode("utf-8", "replace")
    while kind_of(path.with_name(stem)) or stem.lower().endswith(".gz"):
        stem = stem.rpartition(".")[0]
    return re.sub(r"[\s_-]+", " ", stem).strip()


def decoded(data: bytes, kind: str = "text") -> str:
    """The bytes as text: by byte order mark, as UTF-8, by the page's own statement, else by their statistics.

    NotReadable when they are no text.
    """
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32")):
        if data.startswith(mark):
            return _checked(data.decode(encoding, "replace"))
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _checked(data.decode("utf-16", "replace"))
    if encoding := _utf16(data):
        return _checked(data.decode(encoding, "replace"))
    if data.startswith(b"%PDF-") or b"\0" in data:
        raise NotReadable("not text")
    try:
        return _checked(data.decode("utf-8"))
    except UnicodeDecodeError:
        pass
    mixed = data.decode("utf-8", "replace")
    n_bad = mixed.count("\ufffd")
    if n_bad * 20 < sum(c > "\x7f" for c in mixed):  # UTF-8 with a few damaged bytes
        return _checked(mixed)
    stated = _CHARSET.search(data[:2048]) if kind == "html" else None
    for encoding in ((stated[1].decode("ascii"),) if stated else ()) + (_guessed(data),):
        try:
            return _checked(data.decode(encoding))
        except (LookupError, UnicodeDecodeError):
            continue
    return _checked(data.decode("cp1252", "replace"))


def _utf16(data: bytes) -> str:
    """The byte order of UTF-16 without a mark: every second byte of Latin text is zero."""
    sample = data[:4096]
    half = len(sample) // 2
    if half > 3 and sample[1::2].count(0) > 0.6 * half and sample[0::2].count(0) < 0.05 * half:
        return "utf-16-le"
    if half > 3 and sample[0::2].count(0) > 0.6 * half and sample[1::2].count(0) < 0.05 * half:
        return "utf-16-be"
    return ""


_LEGACY = "cp1250 cp1251 cp1253 cp1255 cp1256 koi8_r gb18030 big5 shift_jis euc_jp euc_kr".split()
"""Encodings still met on the web besides cp1252; of all that are known, the statistics choose odd ones."""


def _guessed(data: bytes) -> str:
    """The encoding of bytes that are no UTF-8; Western text, with few bytes beyond ASCII, is cp1252."""
    sample = data[:65536]
    if sum(byte > 127 for byte in sample) < 0.2 * len(sample):
        return "cp1252"
    import charset_normalizer

    best = charset_normalizer.from_bytes(sample, cp_isolation=_LEGACY).best()
    return best.encoding if best else "cp1252"


def _checked(text: str) -> str:
    sample = text[:65536]
    strange = sum(c < " " and c not in "\t\n\r\x0b\x0c\x1b\x1c\x1d\x1e\x1f" or c == "\ufffd" for c in sample)
    if strange > max(1, 0.01 * len(sample)):
        raise NotReadable("not text")
    return text


def _rows(uri: str, stream: BinaryIO, max_bytes: int) -> Iterator[Raw | Failure]:
    """One text a line; a line that is no row is a failure that names it."""
    ids: set[str] = set()
    number = 0
    while line := stream.readline(max_bytes + 1):
        number += 1
        key = f"{uri}#line-{number}"
        try:
            if len(line) > max_bytes:
                while not line.endswith(b"\n") and (line := stream.readline(max_bytes + 1)):
                    pass
                raise NotReadable(f"line {number} is longer than the {max_bytes:,} bytes allowed")
            row = _row(line, number)
            if row is None:
                continue
            given = row.pop("id", None)
            name = str(number if given is None else given).encode("utf-8", "replace").decode()
            if name in ids:
                raise NotReadable(f'line {number} has the id "{name}" of an earlier line')
            ids.add(name)
            yield _raw(f"{uri}#{quote(name, safe=_SAFE)}", row, number)
        except NotReadable as error:
            yield Failure("read", key, str(error))
    if not number:
        yield Failure("read", uri, "no text")


_SAFE = "!$&'()*+,;=:@/?-._~"
"""Characters that stand for themselves in the fragment of a URI (RFC 3986)."""


def _row(line: bytes, number: int) -> dict[str, Any] | None:
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
    except UnicodeDecodeError as error:
        raise NotReadable(f"line {number} is not UTF-8 (byte {error.start + 1}); JSON Lines are") from error
    if not text:
        return None
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotReadable(f'line {number} is not JSON: {error}; expected {{"id", "text"}}') from error
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise NotReadable(f'line {number} has no "text"; expected {{"id", "text", "title"?}}')
    return row


def _raw(uri: str, row: dict[str, Any], number: int) -> Raw:
    text, title, time, language = (row.pop(key, "") for key in ("text", "title", "time", "language"))
    known = isinstance(language, str) and _LANGUAGE.fullmatch(language)
    return Raw(uri, text, str(title or ""), str(time or ""), language if known else "", row)


def _markdown(uri: str, text: str) -> Raw:
    """Headings, paragraphs, list items and table rows as paragraphs of their own."""
    from markdown_it import MarkdownIt

    title, time, metadata = "", "", {}
    if found := _FRONT_MATTER.match(text.replace("\r\n", "\n")):
        metadata = _front_matter(found[1])
        title, time = str(metadata.pop("title", "")), str(metadata.pop("date", ""))
        text = text.replace("\r\n", "\n")[found.end() :]
    paragraphs: list[str] = []
    header: list[str] = []
    cells: list[str] = []
    where = ""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "inline":
            content = _inline(token.children or [])
            if where in ("th", "td"):
                cells.append(content)
            else:
                paragraphs.append(content)
                title = title or (content if where == "heading" else "")
        elif token.type == "html_block":
            paragraphs.append(_stripped(token.content))
        elif token.type == "tr_close":
            if header:
                paragraphs.append(_table_row(header, cells))
            else:
                header = cells
            cells = []
        elif token.type == "table_close":
            header = []
        where = token.type.removesuffix("_open") if token.nesting == 1 else where
    return Raw(uri, _PARAGRAPH.join(filter(None, paragraphs)), title, time, "", metadata)


def _front_matter(text: str) -> dict[str, Any]:
    import yaml

    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}


def _inline(tokens: list[Any]) -> str:
    """The words of a paragraph: emphasis and links give their text, pictures and HTML tags nothing."""
    parts = {"text": None, "code_inline": None, "softbreak": " ", "hardbreak": "\n"}
    return "".join(parts[t.type] or t.content for t in tokens if t.type in parts).strip()


def _table_row(header: list[str], cells: list[str]) -> str:
    """A row in words: `Name: ENIAC; Year: 1945`."""
    named = [f"{name}: {cell}" if name else cell for name, cell in zip(header, cells, strict=False) if cell]
    return "; ".join(named)


def _html(uri: str, text: str) -> Raw:
    """The article of a page by trafilatura, or all its text where that finds none."""
    import trafilatura

    try:
        found = trafilatura.bare_extraction(
            text,
            include_comments=False,
            with_metadata=True,
            prune_xpath="//pre",
            date_extraction_params={"extensive_search": False, "original_date": True},
        )
    except Exception as error:  # its date search stumbles over some broken pages; their text is not lost
        _log.info("trafilatura gave up on %s: %r", uri, error)
        found = None
    if found is None or not (found.text or "").strip():
        return Raw(uri, _stripped(text), _page_title(text))
    lines = found.text.split("\n")
    title = found.title or _page_title(text)
    return Raw(uri, _PARAGRAPH.join(_in_words(lines)), title, found.date or "", "", {})


def _in_words(lines: list[str]) -> Iterator[str]:
    """Lines of trafilatura as paragraphs: list marks go, table rows are put in words."""
    header: list[str] = []
    for line in lines:
        if not line.startswith("|"):
            header = []
            yield line.removeprefix("- ")
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not header:
            header = cells
        elif not all(re.fullmatch(r":?-+:?", cell) for cell in cells):
            yield _table_row(header, cells)


_NO_PROSE = ("head", "script", "style", "pre", "template")
_BLOCKS = tuple(
    "address article aside blockquote body br dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 "
    "header hr li main nav ol option p section table td th title tr ul".split()
)


def _stripped(text: str) -> str:
    """All text of a piece of HTML, a paragraph for each block."""
    from lxml import etree

    tree = _tree(text)
    if tree is None:
        return ""
    etree.strip_elements(tree, *_NO_PROSE, etree.Comment, etree.ProcessingInstruction, with_tail=False)
    for element in tree.iter(*_BLOCKS):
        element.text = _PARAGRAPH + _NOT_XML.sub("", element.text or "")
        element.tail = _PARAGRAPH + _NOT_XML.sub("", element.tail or "")
    parts = re.split(r"\n\s*\n", str(tree.xpath("string()")))
    return _PARAGRAPH.join(filter(None, (" ".join(part.split()) for part in parts)))


def _page_title(text: str) -> str:
    tree = _tree(text)
    return "" if tree is None else " ".join(str(tree.findtext(".//title") or "").split())


def _tree(text: str) -> Any:
    """The parsed HTML, or None when there is not even a tag or word."""
    from lxml import etree, html

    try:
        return html.fromstring(text.encode("utf-8", "replace"), parser=html.HTMLParser(encoding="utf-8"))
    except etree.ParserError:
        return None
