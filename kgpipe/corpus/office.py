"""Word and PowerPoint files, e-books and mails to paragraphs."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from kgpipe.corpus.raw import PAGE, NotReadable, Raw, code, table_row, unmarked

_PARAGRAPH = "\n\n"
_CODE_STYLE = re.compile(r"code|preformatted|listing|source", re.IGNORECASE)
_OLE = b"\xd0\xcf\x11\xe0"


def read_docx(uri: str, data: bytes) -> Iterator[Raw]:
    """Headings, paragraphs, list items and table rows of a Word file, in order."""
    _check_zip(data, "docx")
    import docx

    document = docx.Document(io.BytesIO(data))
    blocks: list[str] = []
    held: list[str] = []  # lines of code
    for item in document.iter_inner_content():
        is_code = hasattr(item, "runs") and bool(_CODE_STYLE.search(_style(item)))
        if held and not is_code:
            blocks.append(code("\n".join(held)))
            held = []
        if is_code:
            held.append(_words(item._p))
        elif hasattr(item, "runs"):
            blocks.append(_words(item._p))
        else:
            blocks += _table(item)
    blocks += [code("\n".join(held))] if held else []
    about = document.core_properties
    time = about.created or about.modified
    yield _raw(uri, blocks, about.title, time.date().isoformat() if time else "", about.language, about.author)


def _style(paragraph: Any) -> str:
    return (paragraph.style.name or "") if paragraph.style is not None else ""


def _words(element: Any) -> str:
    """The text of a paragraph, insertions included and deletions not."""
    parts = {"t": None, "tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
    found: list[str] = []
    for node in element.iter():
        name = node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""
        if name in parts and node.getparent().tag.endswith("}r"):
            found.append(node.text or "" if parts[name] is None else parts[name])
    return unmarked("".join(found))


def _table(table: Any) -> list[str]:
    rows: list[list[str]] = []
    for row in table.rows:
        cells, seen = [], set()
        for cell in row.cells:
            if cell._tc not in seen:  # merged cells come again
                seen.add(cell._tc)
                cells.append(" ".join(unmarked(cell.text).split()))
        rows.append(cells)
    return _rows_in_words(rows)


def _rows_in_words(rows: list[list[str]]) -> list[str]:
    if len(rows) < 2:
        return ["; ".join(filter(None, row)) for row in rows]
    return [table_row(rows[0], row) for row in rows[1:]]


def read_pptx(uri: str, data: bytes) -> Iterator[Raw]:
    """The slides of a presentation, each a page, with tables and notes."""
    _check_zip(data, "pptx")
    import pptx

    deck = pptx.Presentation(io.BytesIO(data))
    blocks: list[str] = []
    for slide in deck.slides:
        found = list(_shapes(slide.shapes))
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            found += [unmarked(p.text) for p in slide.notes_slide.notes_text_frame.paragraphs]
        found = [text for text in found if text.strip()]
        blocks += [PAGE + (found[0] if found else ""), *found[1:]]
    about = deck.core_properties
    time = about.created or about.modified
    yield _raw(uri, blocks, about.title, time.date().isoformat() if time else "", about.language, about.author)


def _shapes(shapes: Any) -> Iterator[str]:
    """Texts of shapes, from top to bottom and left to right, the title first."""
    title = getattr(shapes, "title", None)
    ordered = sorted(shapes, key=lambda s: (s != title, s.top or 0, s.left or 0))
    for shape in ordered:
        if hasattr(shape, "shapes"):
            yield from _shapes(shape.shapes)
        elif getattr(shape, "has_table", False) and shape.has_table:
            rows = [[" ".join(unmarked(cell.text).split()) for cell in row.cells] for row in shape.table.rows]
            yield from _rows_in_words(rows)
        elif shape.has_text_frame:
            yield from (unmarked(p.text) for p in shape.text_frame.paragraphs)


def _raw(uri: str, blocks: list[str], title: str, time: str, language: str, author: str) -> Raw:
    short = (language or "")[:2].lower()
    known = short if re.fullmatch("[a-z]{2}", short) else ""
    text = _PARAGRAPH.join(block for block in blocks if block.strip())
    return Raw(uri, text, title or "", time, known, {"author": author} if author else {})


def _check_zip(data: bytes, kind: str) -> None:
    if data.startswith(_OLE):
        raise NotReadable(f"encrypted, or in the format of before 2007: save it as .{kind} without a password")
    if not data.startswith(b"PK"):
        raise NotReadable(f"no {kind} file: it is no zip archive")


def read_epub(uri: str, data: bytes, *, page: Callable[[bytes], str], max_bytes: int) -> Iterator[Raw]:
    """The chapters of an e-book in the order of its spine; `page` turns XHTML into paragraphs."""
    from lxml import etree

    _check_zip(data, "epub")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        names = set(book.namelist())
        if "META-INF/encryption.xml" in names and b"xhtml" in book.read("META-INF/encryption.xml"):
            raise NotReadable("encrypted: the e-book is protected against copying")
        container = etree.fromstring(_member(book, "META-INF/container.xml", max_bytes), parser)
        opf = str(container.xpath("string(//*[local-name()='rootfile']/@full-path)"))
        package = etree.fromstring(_member(book, opf, max_bytes), parser)
        about = {
            name: str(package.xpath(f"string(//*[local-name()='metadata']/*[local-name()='{name}'])")).strip()
            for name in ("title", "creator", "date", "language")
        }
        items = {
            str(item.get("id")): item for item in package.xpath("//*[local-name()='manifest']/*[local-name()='item']")
        }
        chapters: list[str] = []
        left = max_bytes
        for reference in package.xpath("//*[local-name()='spine']/*[local-name()='itemref']/@idref"):
            item = items.get(str(reference))
            if item is None or "nav" in (item.get("properties") or "").split():
                continue
            path = posixpath.normpath(posixpath.join(posixpath.dirname(opf), unquote(str(item.get("href")))))
            content = _member(book, path, left)
            left -= len(content)
            chapters.append(page(content))
    yield _raw(uri, chapters, about["title"], about["date"], about["language"], about["creator"])


def _member(book: zipfile.ZipFile, name: str, max_bytes: int) -> bytes:
    try:
        with book.open(name) as stream:
            data = stream.read(max_bytes + 1)
    except KeyError as error:
        raise NotReadable(f"damaged epub: it names {name}, which is not in it") from error
    if len(data) > max_bytes:
        raise NotReadable("too large: the e-book unpacks to more than max_bytes allows")
    return data


def read_mail(uri: str, data: bytes, *, page: Callable[[bytes], str]) -> tuple[Raw, list[tuple[str, bytes]]]:
    """The text of a mail with its subject, sender and date, and its attachments as (name, bytes)."""
    import email
    import email.policy
    import email.utils

    mail = email.message_from_bytes(data, policy=email.policy.default)
    if not mail.keys() or not any(mail[name] for name in ("from", "date", "subject", "to", "received")):
        raise NotReadable("no mail: it has no sender, date or subject")
    body = mail.get_body(("plain", "html"))
    text = ""
    if body is not None:
        content = body.get_payload(decode=True) or b""
        if body.get_content_type() == "text/html":
            text = page(content)
        else:
            try:
                text = content.decode(body.get_content_charset("utf-8"), "replace")
            except LookupError:
                text = content.decode("utf-8", "replace")
    attached = []
    for part in mail.walk():
        if part is not body and not part.is_multipart() and part.get_filename():
            attached.append((str(part.get_filename()), part.get_payload(decode=True) or b""))
    metadata: dict[str, Any] = {}
    if mail["from"]:
        metadata["author"] = str(mail["from"])
    if mail["to"]:
        metadata["to"] = str(mail["to"])
    if attached:
        metadata["attachments"] = [name for name, _ in attached]
    time = ""
    if mail["date"]:
        try:
            time = email.utils.parsedate_to_datetime(str(mail["date"])).isoformat()
        except (ValueError, TypeError):
            time = str(mail["date"])
    return Raw(uri, unmarked(text), str(mail["subject"] or ""), time, "", metadata), attached
