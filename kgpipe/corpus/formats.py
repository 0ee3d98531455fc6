"""One reader for each kind of file: bytes to raw texts, markup to paragraphs.

A file is what its content says where that is plain (PDF, zip, gzip), else what its name says. What a parser raises
becomes a named failure. Left out: pictures and comments, and what surrounds the article on an HTML page; code blocks
of HTML pages are left out and counted, elsewhere they are marked.
"""

from __future__ import annotations

import bz2
import gzip
import io
import logging
import os
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from kgpipe.corpus.office import read_docx, read_epub, read_mail, read_pptx
from kgpipe.corpus.pdf import read_pdf
from kgpipe.corpus.raw import CODE, Limits, NotReadable, Raw, code, sample, table_row, unmarked
from kgpipe.corpus.sources import MANY, kind_of, packing_of
from kgpipe.corpus.tabular import read_csv, read_jsonl, read_parquet, row_uri
from kgpipe.corpus.wikitext import read_dump, read_wikitext
from kgpipe.records import Failure, Removal, Removed

_log = logging.getLogger(__name__)

Item = Raw | Failure | Removed
_PARAGRAPH = "\n\n"
_CHARSET = re.compile(rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that lxml reads but does not take."""
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)


def read_file(path: Path, *, max_bytes: int, limits: Limits | None = None) -> Iterator[Item]:
    """The texts of a file: one, or one a row, page or member; failures in the place of what cannot be read.

    `max_bytes` bounds each text, before and after unpacking.
    """
    limits = limits or Limits(max_bytes=max_bytes)
    uri = path.as_uri()
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
            raise NotReadable("cannot be read: not a regular file")
        container = kind_of(path) in MANY
        allowed = limits.max_unpacked if container else max_bytes
        if found.st_size > allowed:
            raise NotReadable(_too_large(found.st_size, allowed, "max_unpacked" if container else "max_bytes"))
        with path.open("rb") as stream:
            yield from read_stream(uri, path.name, stream, limits)
    except NotReadable as error:
        yield Failure("read", uri, str(error))
    except OSError as error:
        yield Failure("read", uri, f"cannot be read: {error.strerror or error}", type(error).__name__)


def _too_large(size: int, allowed: int, setting: str) -> str:
    return f"too large: {size:,} bytes, {allowed:,} allowed; split it, or raise {setting} in kgpipe.toml"


def read_stream(uri: str, name: str, stream: BinaryIO, limits: Limits, depth: int = 0) -> Iterator[Item]:
    """The texts of an open file or of a member of an archive; what its parser raises is a failure."""
    try:
        empty = True
        for item in _read(uri, name, stream, limits, depth):
            empty = False
            yield item
        if empty:
            raise NotReadable("no text: it holds nothing that is read")
    except NotReadable as error:
        yield Failure("read", uri, str(error))
    except gzip.BadGzipFile as error:
        yield Failure("read", uri, f"cannot be read: {error}", "BadGzipFile")
    except (EOFError, zlib.error) as error:
        packing = packing_of(Path(name)) or "archive"
        yield Failure("read", uri, f"damaged {packing}: {error}", type(error).__name__)
    except OSError as error:
        yield Failure("read", uri, f"cannot be read: {error.strerror or error}", type(error).__name__)
    except MemoryError as error:
        yield Failure("read", uri, "needs more memory than read_memory_mb allows", type(error).__name__)
    except Exception as error:  # parsers of hostile files raise anything
        kind = kind_of(Path(name)) or "file"
        reason = " ".join(str(error).split())[:300]
        yield Failure("read", uri, f"damaged {kind}: {reason or type(error).__name__}", type(error).__name__)


def _read(uri: str, name: str, stream: BinaryIO, limits: Limits, depth: int) -> Iterator[Item]:
    buffered = cast(io.BufferedReader, stream if hasattr(stream, "peek") else io.BufferedReader(cast(Any, stream)))
    packing = packing_of(Path(name)) or _packing(buffered.peek(8)[:8])
    if packing:
        yield from _read(uri, _unpacked_name(name), _unpacked(buffered, packing), limits, depth)
        return
    kind = _sniffed(kind_of(Path(name)), buffered)
    if kind == "jsonl":
        yield from read_jsonl(uri, buffered, limits)
    elif kind == "dump":
        yield from read_dump(uri, buffered, limits)
    elif kind == "parquet" and depth == 0 and buffered.seekable() and not packing_of(Path(name)):
        yield from read_parquet(uri, buffered, limits)
    elif kind in ("zip", "tar"):
        if depth >= limits.max_depth:
            raise NotReadable(f"archives within archives deeper than {limits.max_depth}")
        members = _zip_members if kind == "zip" else _tar_members
        yield from members(uri, buffered, limits, depth)
    else:
        data = buffered.read(limits.max_bytes + 1)
        if len(data) > limits.max_bytes:
            raise NotReadable(f"too large: unpacks to more than the {limits.max_bytes:,} bytes allowed")
        yield from _whole(kind, uri, name, data, limits, depth)


def _whole(kind: str, uri: str, name: str, data: bytes, limits: Limits, depth: int) -> Iterator[Item]:
    if kind == "pdf":
        yield from read_pdf(uri, data)
    elif kind == "docx":
        _check_bomb(data, limits)
        yield from read_docx(uri, data)
    elif kind == "pptx":
        _check_bomb(data, limits)
        yield from read_pptx(uri, data)
    elif kind == "epub":
        yield from read_epub(uri, data, page=_chapter, max_bytes=limits.max_bytes)
    elif kind == "parquet":
        yield from read_parquet(uri, io.BytesIO(data), limits)
    elif kind == "mail":
        mail, attached = read_mail(uri, data, page=_chapter)
        if mail.text.strip() or not attached:
            yield mail
        for n, (member, content) in enumerate(attached):
            yield from _member(row_uri(uri, f"{n + 1}-{_quoted(member)}"), member, io.BytesIO(content), limits, depth)
    else:
        text = unmarked(decoded(data, kind))
        if kind == "csv":
            yield from read_csv(uri, text, limits)
        elif kind == "wikitext":
            yield from read_wikitext(uri, text)
        else:
            yield {"markdown": _markdown, "html": _html}.get(kind, Raw)(uri, text)


# --- what a file is


def _sniffed(kind: str, stream: io.BufferedReader) -> str:
    """The kind by content where that is plain, else by name; NotReadable where the two cannot be joined."""
    head = stream.peek(1024)[:1024]
    if b"%PDF-" in head and (kind == "pdf" or head.startswith(b"%PDF-")):
        return "pdf"
    if kind == "pdf":
        raise NotReadable("no PDF: it does not begin with %PDF-")
    if head.startswith(b"PK\x03\x04") and kind not in ("zip", "docx", "pptx", "epub") and stream.seekable():
        kind = _office(stream) or kind
    if head.startswith(b"PAR1"):
        return "parquet"
    return kind


def _office(stream: io.BufferedReader) -> str:
    """Which kind of file a zip archive is, beside an archive; empty where it is none."""
    try:
        names = zipfile.ZipFile(cast(Any, stream)).namelist()
    except (zipfile.BadZipFile, ValueError, OSError):
        names = []
    stream.seek(0)
    for name, kind in (
        ("word/document.xml", "docx"),
        ("ppt/presentation.xml", "pptx"),
        ("META-INF/container.xml", "epub"),
    ):
        if name in names:
            return kind
    return ""


def _packing(head: bytes) -> str:
    if head.startswith(b"\x1f\x8b\x08"):
        return ".gz"
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return ".zst"
    return ".bz2" if re.match(rb"BZh[1-9]1AY&S", head) else ""


def _unpacked(stream: io.BufferedReader, packing: str) -> BinaryIO:
    if packing == ".gz":
        return cast(BinaryIO, gzip.GzipFile(fileobj=stream))
    if packing == ".bz2":
        return cast(BinaryIO, bz2.BZ2File(stream))
    import pyarrow as pa

    return cast(BinaryIO, io.BufferedReader(pa.CompressedInputStream(pa.PythonFile(stream, "r"), "zstd")))


def _unpacked_name(name: str) -> str:
    packing = packing_of(Path(name))
    if name.lower().endswith(".tgz"):
        return f"{name[:-4]}.tar"
    return name[: -len(packing)] if packing else name


# --- archives


def _zip_members(uri: str, stream: io.BufferedReader, limits: Limits, depth: int) -> Iterator[Item]:
    if not stream.seekable():
        data = stream.read(limits.max_bytes + 1)
        if len(data) > limits.max_bytes:
            raise NotReadable(f"too large: unpacks to more than the {limits.max_bytes:,} bytes allowed")
        stream = io.BufferedReader(cast(Any, io.BytesIO(data)))
    budget = limits.max_unpacked
    with zipfile.ZipFile(cast(Any, stream)) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            own = row_uri(uri, _quoted(info.filename))
            budget -= info.file_size
            if budget < 0:
                raise NotReadable(f"too large: unpacks to more than the {limits.max_unpacked:,} bytes allowed in all")
            if info.flag_bits & 1:
                yield Failure("read", own, "encrypted: it opens with a password only")
            elif info.file_size > limits.max_bytes and kind_of(Path(info.filename)) not in MANY:
                yield Failure("read", own, _too_large(info.file_size, limits.max_bytes, "max_bytes"))
            else:
                try:
                    with archive.open(info) as member:
                        yield from _member(own, info.filename, cast(BinaryIO, member), limits, depth)
                except (zipfile.BadZipFile, NotImplementedError, zlib.error, EOFError, OSError) as error:
                    yield Failure("read", own, f"damaged zip: {error}", type(error).__name__)


def _tar_members(uri: str, stream: io.BufferedReader, limits: Limits, depth: int) -> Iterator[Item]:
    budget = limits.max_unpacked
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for info in archive:
            if not info.isreg():
                continue
            own = row_uri(uri, _quoted(info.name))
            budget -= info.size
            if budget < 0:
                raise NotReadable(f"too large: unpacks to more than the {limits.max_unpacked:,} bytes allowed in all")
            member = archive.extractfile(info)
            if info.size > limits.max_bytes and kind_of(Path(info.name)) not in MANY:
                yield Failure("read", own, _too_large(info.size, limits.max_bytes, "max_bytes"))
            elif member is not None:
                yield from _member(own, info.name, cast(BinaryIO, member), limits, depth)


def _member(uri: str, name: str, stream: BinaryIO, limits: Limits, depth: int) -> Iterator[Item]:
    """The texts of one member; those without a title take its name."""
    if not kind_of(Path(name)):
        if not Path(name).name.startswith("."):
            yield Removed(uri, "a member of a kind that is not read", 0, sample(name))
        return
    for item in read_stream(uri, name, stream, limits, depth + 1):
        yield _named(item, name) if isinstance(item, Raw) and not item.name else item


def _named(raw: Raw, name: str) -> Raw:
    from dataclasses import replace

    return replace(raw, name=name)


def _quoted(name: str) -> str:
    return name.encode("utf-8", "replace").decode().replace("!", "%21")


def _check_bomb(data: bytes, limits: Limits) -> None:
    """Office files are unpacked by their libraries as a whole: their sizes are looked at before."""
    if not data.startswith(b"PK"):
        return  # its reader says what it is
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = sum(info.file_size for info in archive.infolist() if info.filename.endswith((".xml", ".rels")))
    if size > limits.max_bytes:
        raise NotReadable(_too_large(size, limits.max_bytes, "max_bytes"))


def title_from_name(path: Path) -> str:
    """The file name in words: `konrad-zuse.txt.gz` is "konrad zuse"."""
    stem = os.fsencode(path.name).decode("utf-8", "replace")
    while kind_of(Path(stem)) or packing_of(Path(stem)):
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


def _markdown(uri: str, text: str) -> Raw:
    """Headings, paragraphs, list items and table rows as paragraphs of their own."""
    from markdown_it import MarkdownIt

    title, time, language, metadata = "", "", "", {}
    if found := _FRONT_MATTER.match(text.replace("\r\n", "\n")):
        metadata = _front_matter(found[1])
        title, time = str(metadata.pop("title", "")), str(metadata.pop("date", ""))
        language = str(metadata.pop("lang", "") or metadata.pop("language", ""))[:2].lower()
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
        elif token.type in ("fence", "code_block") and token.content.strip():
            paragraphs.append(code(token.content))
        elif token.type == "tr_close":
            if header:
                paragraphs.append(table_row(header, cells))
            else:
                header = cells
            cells = []
        elif token.type == "table_close":
            header = []
        where = token.type.removesuffix("_open") if token.nesting == 1 else where
    return Raw(uri, _PARAGRAPH.join(filter(None, paragraphs)), title, time, _language(language), metadata)


def _language(code: str) -> str:
    return code if re.fullmatch("[a-z]{2}", code) else ""


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
    article = _PARAGRAPH.join(_in_words(lines))
    metadata = {"author": found.author} if found.author else {}
    return Raw(uri, article, title, found.date or "", "", metadata, tuple(_left_out(text, article)))


def _left_out(page: str, article: str) -> Iterator[Removal]:
    """What a page has beside its article: code, and what surrounds it."""
    kept = set(article.split())
    around = [block for block in _stripped(page).split(_PARAGRAPH) if not kept.issuperset(block.split())]
    parts = [block for text in around for block in re.split(f"{CODE}.*?\ufdd2", text, flags=re.DOTALL) if block.strip()]
    codes = re.findall(f"{CODE}(.*?)\ufdd2", _stripped(page), flags=re.DOTALL)
    for kind, found in (("code", codes), ("navigation", parts)):
        if found:
            yield Removal(kind, len(found), sum(map(len, found)), sample(found[0]))


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
            yield table_row(header, cells)


_NO_PROSE = ("head", "script", "style", "template")
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
    for element in tree.iter("pre"):
        content = _NOT_XML.sub("", "".join(element.itertext()))
        for child in list(element):
            element.remove(child)
        element.text = f"{_PARAGRAPH}{code(content)}{_PARAGRAPH}" if content.strip() else ""
        element.tail = _NOT_XML.sub("", element.tail or "")
    for element in tree.iter(*_BLOCKS):
        element.text = _PARAGRAPH + _NOT_XML.sub("", element.text or "")
        element.tail = _PARAGRAPH + _NOT_XML.sub("", element.tail or "")
    paragraphs: list[str] = []
    for part in re.split(f"({CODE}.*?\ufdd2)", str(tree.xpath("string()")), flags=re.DOTALL):
        if part.startswith(CODE):
            paragraphs.append(part)
        else:
            paragraphs += (" ".join(piece.split()) for piece in re.split(r"\n\s*\n", part))
    return _PARAGRAPH.join(filter(None, paragraphs))


def _chapter(data: bytes) -> str:
    """All text of an HTML page or chapter, as paragraphs."""
    return _stripped(unmarked(decoded(data, "html")))


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
