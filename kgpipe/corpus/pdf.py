"""PDF pages to paragraphs by pdfium: reading order, running heads out, hyphenation mended, pages marked.

Pdfium gives runs of text with their boxes. Runs on one base line make a line; a gutter that nearly no line crosses
makes columns, and lines across it separate what is above from what is below; within a column, gaps, indents and short
last lines make paragraphs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from kgpipe.corpus.raw import PAGE, NotReadable, Raw, sample, unmarked
from kgpipe.records import Removal

_HYPHENS = "-\u00ad\u2010\x02\ufffe"
_NUMBER = re.compile(
    r"\W*(?:page|seite|p\.)?\s*(?:\d{1,4}|[ivxl]{1,7})(?:\s*(?:/|of|von)\s*\d{1,4})?\W*", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"[.!?:;。！？][\"'”’)\]]*$")
_DATE = re.compile(r"D:(\d{4})(\d{2})?(\d{2})?")
_INSIDE = re.compile(r"[\x02\ufffe]\s+(?=\w)")
"""A hyphen that pdfium knows to be one, with the other half of the word after it."""
_LEADERS = re.compile(r"(?:\s?\.){5,}\s?")
"""The dots of a table of contents."""
_SECTION = re.compile(r"\d{1,2}(?:\.\d{1,2})*\.?\s+[^\W\d_]")
_BULLET = re.compile(r"(?:[-*+•‣▪–—]|\d{1,3}[.)])\s")
_EDGE = 2
"""Lines at the top and at the bottom of a page that may be running heads."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page: its text and box in points, y upwards."""

    text: str
    left: float
    bottom: float
    right: float
    top: float
    page: int = 0

    @property
    def height(self) -> float:
        return self.top - self.bottom


def read_pdf(uri: str, data: bytes) -> Iterator[Raw]:
    """One text of all pages; NotReadable when it is encrypted, damaged or pictures only."""
    import pypdfium2 as pdfium

    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise NotReadable("encrypted: it opens with a password only; save it without one") from error
        raise NotReadable(f"damaged PDF: {error}") from error
    try:
        pages = [_lines(document[i], i) for i in range(len(document))]
        about = document.get_metadata_dict()
    except pdfium.PdfiumError as error:
        raise NotReadable(f"damaged PDF: {error}") from error
    finally:
        document.close()
    if not any(pages):
        raise NotReadable(f"no text: {len(pages)} pages of pictures only; run a text recognition (OCR) over it first")
    heads = running_heads(pages)
    text = joined_pages([[line for line in page if line not in heads] for page in pages])
    removals = ()
    if heads:
        heads_text = [line.text for line in heads]
        removals = (Removal("header or footer", len(heads), sum(map(len, heads_text)), sample(min(heads_text))),)
    made = _DATE.match(about.get("CreationDate", ""))
    metadata: dict[str, Any] = {"pages": len(pages)}
    if about.get("Author"):
        metadata["author"] = about["Author"]
    time = "-".join(filter(None, made.groups())) if made else ""
    yield Raw(uri, text, about.get("Title", ""), time, "", metadata, removals)


def _lines(page: Any, number: int) -> list[Line]:
    """The lines of a page in reading order."""
    text_page = page.get_textpage()
    runs = []
    for i in range(text_page.count_rects()):
        left, bottom, right, top = text_page.get_rect(i)
        text = _INSIDE.sub("", unmarked(text_page.get_text_bounded(left, bottom, right, top)))
        text = _LEADERS.sub(" … ", " ".join(text.split())).strip()
        if text:
            runs.append(Line(text, left, bottom, right, top, number))
    text_page.close()
    page.close()
    return in_reading_order(_joined_runs(runs))


def _joined_runs(runs: list[Line]) -> list[Line]:
    """Runs that stand on one base line and near each other, as one line; a wide gap is the border of a column."""
    rows: list[list[Line]] = []
    for run in sorted(runs, key=lambda run: (-run.bottom - run.top, run.left)):
        for row in reversed(rows[-8:]):
            overlap = min(row[0].top, run.top) - max(row[0].bottom, run.bottom)
            if overlap > 0.5 * min(row[0].height, run.height):
                row.append(run)
                break
        else:
            rows.append([run])
    lines: list[Line] = []
    for row in rows:
        line: Line | None = None
        for run in sorted(row, key=lambda run: (run.left, -run.right)):
            if line is None or run.left - line.right > 1.2 * max(line.height, run.height):
                lines += [line] if line else []
                line = run
            elif run.right > line.right or run.text not in line.text:  # else it is drawn twice, for boldness
                space = " " if run.left - line.right > 0.1 * min(line.height, run.height) else ""
                line = Line(
                    line.text + space + run.text, line.left, min(line.bottom, run.bottom), max(line.right, run.right),
                    max(line.top, run.top), run.page,
                )  # fmt: skip
        lines += [line] if line else []
    return lines


def in_reading_order(lines: list[Line]) -> list[Line]:
    """The lines from top to bottom, columns one after the other."""
    lines = sorted(lines, key=lambda line: (-line.top, line.left))
    gutter = _gutter(lines)
    if gutter is None:
        return lines
    ordered: list[Line] = []
    held: list[Line] = []
    for line in [*lines, None]:
        if line is not None and not line.left < gutter < line.right:
            held.append(line)
            continue
        ordered += in_reading_order([each for each in held if each.right <= gutter])
        ordered += in_reading_order([each for each in held if each.right > gutter])
        held = []
        if line is not None:
            ordered.append(line)
    return ordered


def _gutter(lines: list[Line]) -> float | None:
    """The middle of the gap between two columns; None for a page of one."""
    if len(lines) < 6:
        return None
    width = median(line.height for line in lines)
    best: tuple[int, float] | None = None
    for x in sorted({line.right for line in lines}):
        right = min((line.left for line in lines if line.left > x), default=None)
        if right is None or right - x < 0.8 * width:
            continue
        middle = (x + right) / 2
        crossing = sum(line.left < middle < line.right for line in lines)
        before = sum(line.right <= middle for line in lines)
        after = len(lines) - crossing - before
        if min(before, after) >= max(3, 0.25 * len(lines)) and crossing <= 0.25 * len(lines):
            # columns are prose: a table has short cells side by side
            if median(line.right - line.left for line in lines if line.right <= middle) < 8 * width:
                continue
            if best is None or crossing < best[0]:
                best = (crossing, middle)
    return best[1] if best else None


def running_heads(pages: list[list[Line]]) -> set[Line]:
    """Lines at the edges of pages that come again on others, numbers aside, and bare page numbers there."""
    edges = []
    for page in pages:
        by_height = sorted(page, key=lambda line: -line.top)
        n = min(_EDGE, (len(page) - 1) // 2)
        edges.append({*by_height[:n], *by_height[len(page) - n :]} if n > 0 else set())
    shapes = Counter(shape for edge in edges for shape in {_shape(line) for line in edge})
    least = max(2, min(3, len(pages) // 2 + 1)) if len(pages) < 6 else max(3, len(pages) // 5)
    return {
        line
        for edge in edges
        for line in edge
        if (len(pages) > 1 and shapes[_shape(line)] >= least) or (len(pages) > 1 and _NUMBER.fullmatch(line.text))
    }


def _shape(line: Line) -> tuple[str, int]:
    return re.sub(r"\d+", "#", line.text.casefold()), round(line.bottom / 8)


def joined_pages(pages: list[list[Line]]) -> str:
    """The lines as paragraphs, an empty line between two; each page begins with its mark."""
    words = Counter(word for page in pages for line in page for word in line.text.split())
    paragraphs: list[str] = []
    before: Line | None = None
    marks = ""
    for page in pages:
        marks += PAGE
        spacing = _spacing(page)
        right = max((line.right for line in page), default=0.0)
        for line in page:
            if before is not None and _goes_on(before, line, spacing, right):
                paragraphs[-1] = _glued(paragraphs[-1], marks, line.text, words)
            else:
                paragraphs.append(marks + line.text)
            before, marks = line, ""
    return "\n\n".join(paragraphs)


def _spacing(page: list[Line]) -> float:
    steps = [a.bottom - b.bottom for a, b in zip(page, page[1:], strict=False) if a.bottom > b.bottom]
    return median(steps) if steps else 0.0


def _goes_on(before: Line, line: Line, spacing: float, right: float) -> bool:
    """Whether a line belongs to the paragraph of the one before it."""
    if _BULLET.match(line.text) or not 0.62 < before.height / max(line.height, 0.1) < 1.6:
        return False  # another size; boxes are as high as the letters in them, so that is not exact
    ended = bool(_SENTENCE_END.search(before.text))
    if ended and _SECTION.match(line.text):
        return False
    if before.page != line.page or line.bottom >= before.bottom:  # the next page or column
        return not ended and (line.text[0].islower() or before.text[-1] in _HYPHENS)
    if spacing and before.bottom - line.bottom > min(1.4 * spacing, 3.5 * line.height):
        return False
    if ended and line.left - before.left > 0.7 * line.height:  # indented
        return False
    short = before.right < right - 0.15 * (right - before.left) and before.right < line.right - 2 * line.height
    return not (short and (ended or not line.text[0].islower()))


def _glued(paragraph: str, marks: str, following: str, words: Counter[str]) -> str:
    """The paragraph with the next line; a word that was hyphenated is whole again, `well-known` keeps its hyphen."""
    wrapped = following[0].islower() or (paragraph[-1] in _HYPHENS[1:] and following[0].isalpha())
    if paragraph[-1] in _HYPHENS and paragraph[-2:-1].isalpha() and wrapped:
        head, tail = paragraph[:-1].rpartition(" ")[2], following.split(" ", 1)[0]
        keep = paragraph[-1] == "-" and words[f"{head}-{tail}"] > words[head + tail]
        return (
            f"{paragraph[:-1]}{'-' if keep else ''}{following}"
            if not marks
            else _moved(paragraph, marks, following, keep)
        )
    cjk = "\u3000" <= paragraph[-1] <= "\u9fff" and "\u3000" <= following[0] <= "\u9fff"
    return f"{paragraph}{'' if cjk else ' '}{marks}{following}"


def _moved(paragraph: str, marks: str, following: str, keep: bool) -> str:
    """A word across pages: it counts to the first, and the mark stands after it."""
    word, _, rest = following.partition(" ")
    return f"{paragraph[:-1]}{'-' if keep else ''}{word} {marks}{rest}"
