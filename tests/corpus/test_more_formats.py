"""PDF, office files, e-books, mails, tables, wiki pages and archives, written here and read back."""

import bz2
import email.message
import gzip
import io
import json
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kgpipe.corpus.document import document
from kgpipe.corpus.formats import read_file
from kgpipe.corpus.raw import Limits, Raw
from kgpipe.records import Failure, Mark, Removal, Removed

MAX = 1_000_000


def read(path, data, **limits):
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return list(read_file(path, max_bytes=MAX, limits=Limits(max_bytes=MAX, **limits)))


def one(path, data, **limits):
    (raw,) = read(path, data, **limits)
    assert isinstance(raw, Raw), raw
    return document(raw, source=raw.uri)


def paragraphs(made):
    return made.text.split("\n\n")


def pdf(pages, info=""):
    """A PDF with pages of (x, y, text) in 11 point Helvetica."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for lines in pages:
        kids.append(f"{len(objects) + 1} 0 R")
        shown = "".join(f"BT /F1 11 Tf {x} {y} Td ({line}) Tj ET\n" for x, y, line in lines)
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
            f"/Contents {len(objects) + 2} 0 R >>"
        )
        objects.append(f"<< /Length {len(shown)} >>\nstream\n{shown}\nendstream")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(pages)} >>"
    objects.append(f"<< {info} >>")
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{content}\nendobj\n".encode("latin-1")
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += "".join(f"{place:010} 00000 n \n" for place in places).encode()
    trailer = f"<< /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>"
    return out + f"trailer\n{trailer}\nstartxref\n{start}\n%%EOF\n".encode()


def lines(texts, x=60, top=760):
    return [(x, top - 16 * i, text) for i, text in enumerate(texts)]


FIRST = ["The ENIAC was built at the University of Pennsylvania, and John", "Mauchly designed it with J. Presper Eckert, who was an electri-",
         "cal engineer from Philadelphia and a well-known man."]  # fmt: skip
SECOND = [
    "It ran at the Aberdeen Proving Ground in Maryland until it was",
    "switched off in October of 1955, after nine years of work on",
]
THIRD = ["ballistic tables and the weather."]


def test_a_pdf_gives_its_paragraphs_without_running_heads_and_with_a_page_map(tmp_path):
    pages = [FIRST, SECOND, THIRD]
    data = pdf(
        [
            [(60, 810, "A History of Computing"), *lines(page), *lines(["A line apart from it all."], top=600 - 40 * i),
             (290, 30, str(i + 1))]
            for i, page in enumerate([FIRST, ["Nothing of note happened here on this page."], ["Nor did it here."]])
        ],
        "/Title (The ENIAC) /Author (Ada) /CreationDate (D:20010203040506)",
    )  # fmt: skip
    made = one(tmp_path / "eniac.pdf", data)
    assert paragraphs(made) == [
        "The ENIAC was built at the University of Pennsylvania, and John Mauchly designed it with J. Presper Eckert, "
        "who was an electrical engineer from Philadelphia and a well-known man.",
        "A line apart from it all.", "Nothing of note happened here on this page.", "A line apart from it all.",
        "Nor did it here.", "A line apart from it all.",
    ]  # fmt: skip
    assert (made.title, made.time, json.loads(made.metadata)) == (
        "The ENIAC",
        "2001-02-03",
        {"author": "Ada", "pages": 3},
    )
    assert [made.text[m.start : m.end].strip()[:7] for m in made.marks] == ["The ENI", "Nothing", "Nor did"]
    assert [(m.kind, m.label) for m in made.marks] == [("page", "1"), ("page", "2"), ("page", "3")]
    assert made.removals == (Removal("header or footer", 6, 22 * 3 + 3, "1"),)
    joined = one(tmp_path / "two.pdf", pdf([lines(SECOND), lines(THIRD)]))
    assert paragraphs(joined) == [" ".join([*SECOND, *THIRD])]
    assert joined.text[joined.marks[1].start :] == THIRD[0]
    assert len(pages) == 3


def test_columns_of_a_pdf_are_read_one_after_the_other(tmp_path):
    left = [f"left column has line number {i} of" for i in range(8)]
    right = [f"right column has line number {i} of" for i in range(8)]
    title = (100, 800, "A title that goes across both of the columns of the page it is on")
    made = one(tmp_path / "a.pdf", pdf([[title, *lines(left), *lines(right, x=320)]]))
    assert made.text.split("\n\n", 1)[1].replace("\n\n", " ") == " ".join([*left, *right])


def test_a_pdf_without_text_or_with_a_password_or_damage_is_a_failure_that_says_so(tmp_path):
    (scanned,) = read(tmp_path / "scan.pdf", pdf([[]]))
    assert scanned.reason == "no text: 1 pages of pictures only; run a text recognition (OCR) over it first"
    (damaged,) = read(tmp_path / "bad.pdf", b"%PDF-1.4\nnothing else")
    assert damaged.reason.startswith("damaged PDF")
    (no_pdf,) = read(tmp_path / "text.pdf", "Ada wrote notes.")
    assert no_pdf.reason == "no PDF: it does not begin with %PDF-"


def test_a_pdf_with_another_extension_is_read(tmp_path):
    assert one(tmp_path / "a.txt", pdf([lines(FIRST)])).text.startswith("The ENIAC was built")


def test_a_word_file_gives_paragraphs_tables_code_and_who_wrote_it(tmp_path):
    import docx

    file = docx.Document()
    file.core_properties.title, file.core_properties.author = "The ENIAC", "Ada"
    file.core_properties.language = "en-GB"
    file.add_heading("ENIAC", 1)
    file.add_paragraph("It was built in ").add_run("Philadelphia.").bold = True
    table = file.add_table(2, 2)
    for cell, text in zip([c for row in table.rows for c in row.cells], ["Name", "Year", "EDVAC", "1949"], strict=True):
        cell.text = text
    file.styles.add_style("Source Code", 1)
    file.add_paragraph("x = 1", "Source Code")
    file.add_paragraph("y = 2", "Source Code")
    file.save(tmp_path / "a.docx")
    made = one(tmp_path / "a.docx", (tmp_path / "a.docx").read_bytes())
    assert paragraphs(made) == ["ENIAC", "It was built in Philadelphia.", "Name: EDVAC; Year: 1949", "x = 1\ny = 2"]
    assert (made.title, made.language, json.loads(made.metadata)) == ("The ENIAC", "en", {"author": "Ada"})
    assert [made.text[m.start : m.end] for m in made.marks if m.kind == "code"] == ["x = 1\ny = 2"]
    (locked,) = read(tmp_path / "locked.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    assert locked.reason.startswith("encrypted, or in the format of before 2007")


def test_a_presentation_gives_a_page_a_slide_with_notes(tmp_path):
    import pptx

    deck = pptx.Presentation()
    for title, body in (("ENIAC", "Built in 1945"), ("EDVAC", "Built in 1949")):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text, slide.placeholders[1].text = title, body
        slide.notes_slide.notes_text_frame.text = f"Say more of {title}."
    deck.save(tmp_path / "a.pptx")
    made = one(tmp_path / "a.pptx", (tmp_path / "a.pptx").read_bytes())
    assert paragraphs(made) == [
        "ENIAC", "Built in 1945", "Say more of ENIAC.", "EDVAC", "Built in 1949", "Say more of EDVAC."
    ]  # fmt: skip
    assert [made.text[m.start : m.end].strip()[:5] for m in made.marks] == ["ENIAC", "EDVAC"]


def zipped(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_an_e_book_gives_its_chapters_in_order(tmp_path):
    book = zipped({
        "META-INF/container.xml": '<container xmlns="urn:x"><rootfiles><rootfile full-path="o/b.opf"/></rootfiles></container>',
        "o/b.opf": '<package xmlns:dc="d"><metadata><dc:title>Engines</dc:title><dc:creator>Ada</dc:creator><dc:date>1843</dc:date>'
        '<dc:language>en</dc:language></metadata><manifest><item id="b" href="b.xhtml"/><item id="a" href="a.xhtml"/></manifest>'
        '<spine><itemref idref="a"/><itemref idref="b"/></spine></package>',
        "o/a.xhtml": "<html><body><h1>One</h1><p>Ada wrote <i>notes</i>.</p><pre>x = 1</pre></body></html>",
        "o/b.xhtml": "<html><body><p>Babbage built.</p></body></html>",
    })  # fmt: skip
    made = one(tmp_path / "a.epub", book)
    assert paragraphs(made) == ["One", "Ada wrote notes.", "x = 1", "Babbage built."]
    assert (made.title, made.time, made.language, json.loads(made.metadata)) == (
        "Engines",
        "1843",
        "en",
        {"author": "Ada"},
    )
    assert made.marks == (Mark(23, 28, "code"),)


def test_a_mail_gives_its_text_and_its_attachments(tmp_path):
    mail = email.message.EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "Notes", "Ada <ada@example.org>", "cb@example.org"
    mail["Date"] = "Thu, 26 Nov 2026 10:00:00 +0000"
    mail.set_content("Dear Charles, here they are. Zürich greets.")
    mail.add_alternative("<p>Dear <b>Charles</b></p>", subtype="html")
    mail.add_attachment(b"The engine weaves.", maintype="text", subtype="plain", filename="engine.txt")
    mail.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="x.png")
    text, attached, picture = read(tmp_path / "a.eml", mail.as_bytes())
    assert (text.title, text.time, text.metadata["author"]) == (
        "Notes",
        "2026-11-26T10:00:00+00:00",
        "Ada <ada@example.org>",
    )
    assert document(text, source="").text == "Dear Charles, here they are. Zürich greets."
    assert (attached.text, document(attached, source="").title) == ("The engine weaves.", "engine")
    assert picture.reason == "a member of a kind that is not read"


def test_tables_give_a_text_a_row_by_the_column_named(tmp_path):
    text = 'id;body;title;year\na;Ada wrote.;One;1843\nb;"Charles; built.";Two;1837\n'
    first, second = read(tmp_path / "a.csv", text, text_column="body", metadata_columns=("year",))
    assert first == Raw(f"{(tmp_path / 'a.csv').as_uri()}#a", "Ada wrote.", "One", metadata={"year": "1843"})
    assert second.text == "Charles; built."
    (refused,) = read(tmp_path / "b.csv", text)
    assert refused.reason == (
        'no column "text"; it has id, body, title, year. Name the column of the text with text_column in kgpipe.toml '
        '("*": each row in words)'
    )
    words = read(tmp_path / "c.csv", text, text_column="*")
    assert words[0].text == "id: a; body: Ada wrote.; title: One; year: 1843"
    buffer = io.BytesIO()
    pq.write_table(pa.table({"text": ["Ada wrote.", None], "date": ["1843", "1837"], "n": [1, 2]}), buffer)
    rows = read(tmp_path / "a.parquet", buffer.getvalue())
    assert rows[0] == Raw(f"{(tmp_path / 'a.parquet').as_uri()}#1", "Ada wrote.", "", "1843", "", {"n": 1})
    assert document(rows[1], source="").reason == "no text"


PAGE = """'''Ada Lovelace''' wrote [[Note G|notes]]<ref>Source</ref> on the [[engine]].{{citation|x}}
[[File:Ada.jpg|thumb|A picture]]
== Life ==
* Born in [http://x.org London]
{| class="wikitable"
! Name !! Year
|-
| ENIAC || 1945
|}
[[Category:People]]"""


def test_a_wiki_dump_gives_its_articles_in_words(tmp_path):
    def page(number, title, text, more=""):
        return (
            f"<page><title>{title}</title><ns>{more or 0}</ns><id>{number}</id><revision><timestamp>2020-01-02T00:00:00Z</timestamp>"
            f"<contributor><username>Bob</username></contributor><text>{text.replace('<', '&lt;')}</text></revision></page>"
        )

    dump = (
        f'<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/">{page(7, "Ada", PAGE)}'
        f"{page(8, 'Countess', '#REDIRECT [[Ada]]')}{page(9, 'Talk:Ada', 'Hello', 1)}</mediawiki>"
    )
    article, redirect, talk = read(tmp_path / "a.xml.bz2", bz2.compress(dump.encode()))
    made = document(article, source="")
    assert paragraphs(made) == [
        "Ada Lovelace wrote notes on the engine.", "Life", "Born in London", "Name: ENIAC; Year: 1945"
    ]  # fmt: skip
    assert (made.uri.rpartition("#")[2], made.title, made.time) == ("7", "Ada", "2020-01-02T00:00:00Z")
    assert made.removals == (Removal("template", 1, 14, "{{citation|x}}"),)
    assert [(r.title, r.reason) for r in (redirect, talk)] == [
        ("Countess", "redirect to another page"), ("Talk:Ada", "not an article but a page of another name space")
    ]  # fmt: skip
    (other,) = read(tmp_path / "b.xml", "<rss/>")
    assert other.reason == "no MediaWiki dump: its root is <rss>"


def test_archives_and_packed_files_give_what_is_in_them(tmp_path):
    rows = "\n".join(json.dumps({"id": i, "text": f"Row {i}."}) for i in "xy")
    inner = zipped({"deep/notes.md": "# Notes\n\nAda wrote."})
    found = read(tmp_path / "a.zip", zipped({"rows.jsonl": rows, "inner.zip": inner, "p.png": "x", "bad.pdf": "x"}))
    uri = (tmp_path / "a.zip").as_uri()
    assert [item.key if isinstance(item, Failure) else item.uri for item in found] == [
        f"{uri}#rows.jsonl!x", f"{uri}#rows.jsonl!y", f"{uri}#inner.zip!deep/notes.md", f"{uri}#p.png", f"{uri}#bad.pdf"
    ]  # fmt: skip
    assert [type(item) for item in found] == [Raw, Raw, Raw, Removed, Failure]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        info = tarfile.TarInfo("a_note.txt")
        info.size = 10
        archive.addfile(info, io.BytesIO(b"Ada wrote."))
    (member,) = read(tmp_path / "a.tgz", buffer.getvalue())
    assert (member.text, document(member, source="").title) == ("Ada wrote.", "a note")
    assert one(tmp_path / "a.txt.zst", pa.compress(b"Ada wrote.", codec="zstd", asbytes=True)).text == "Ada wrote."
    assert one(tmp_path / "packed.txt", gzip.compress(b"Ada wrote.")).text == "Ada wrote."


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.docx", b"plain", "no docx file: it is no zip archive"),
        ("a.epub", zipped({"x": "y"}), "damaged epub: it names META-INF/container.xml, which is not in it"),
        ("a.eml", b"no mail at all", "no mail: it has no sender, date or subject"),
        ("a.parquet", b"PAR1 and no more", "damaged Parquet"),
        ("a.zip", b"PK\3\4 and no more", "damaged zip"),
        ("empty.zip", zipped({}), "no text: it holds nothing that is read"),
        ("empty.xml", b"<mediawiki></mediawiki>", "no text: it holds nothing that is read"),
        ("a.txt.zst", b"plain", "cannot be read: ZSTD decompress failed"),
    ],
)
def test_what_a_file_is_not_is_said(tmp_path, name, data, reason):
    (found,) = read(tmp_path / name, data)
    assert isinstance(found, Failure) and found.reason.startswith(reason)
