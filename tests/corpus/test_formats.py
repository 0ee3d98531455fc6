"""Each kind of file gives its text; what is no text says so."""

import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgpipe.corpus.document import document
from kgpipe.corpus.formats import NotReadable, Raw, decoded, read_file, title_from_name
from kgpipe.corpus.raw import code
from kgpipe.records import Document, Failure, to_table

MAX = 1_000_000


def read(path, data, max_bytes=MAX):
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return list(read_file(path, max_bytes=max_bytes))


def paragraphs(raw):
    return raw.text.split("\n\n")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_western_text_is_decoded_from_any_usual_encoding(encoding):
    text = "Kurt Gödel met Erdős’ friends in Zürich – naïve, he said. " * 3
    text = text.replace("ő", "o") if encoding == "cp1252" else text
    assert decoded(text.encode(encoding)) == text


@pytest.mark.parametrize("encoding", ["gb18030", "cp1251", "shift_jis"])
def test_other_scripts_are_decoded_by_their_statistics(encoding):
    text = {
        "gb18030": "王选是中国计算机科学家，他领导研制了汉字激光照排系统。",
        "cp1251": "Лебедев построил в Киеве первую советскую электронную вычислительную машину. ",
        "shift_jis": "岡崎文次は日本で最初のコンピュータを完成させた。",
    }[encoding] * 5
    assert decoded(text.encode(encoding)) == text


def test_a_few_damaged_bytes_do_not_change_the_encoding():
    assert decoded("Gödel in Zürich, ".encode() * 20 + b"\xff end").startswith("Gödel in Zürich, ")


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"%PDF-1.4 text", bytes(range(256)) * 9, b"\x01\x02\x03\x04" * 50, b"PK\3\4\0\0"]
)  # fmt: skip
def test_binary_data_is_no_text(data):
    with pytest.raises(NotReadable, match="not text"):
        decoded(data)


MARKDOWN = """---
title: The ENIAC machine
date: 1946-02-14
tags: [machines]
---
# ENIAC

The **ENIAC** was built by [John Mauchly](http://x.org) and
J. Presper Eckert. ![photo](x.png)

- It ran at `Penn`.
  1. First in 1945
- <b>Then</b> at Aberdeen.

| Name  | Year |
|-------|------|
| EDVAC | 1949 |

```python
print("no prose")
```
<div>A block of <i>HTML</i></div>
"""


def test_markdown_gives_its_words_a_paragraph_for_each_block(tmp_path):
    (raw,) = read(tmp_path / "eniac.md", MARKDOWN)
    assert paragraphs(raw) == [
        "ENIAC",
        "The ENIAC was built by John Mauchly and J. Presper Eckert.",
        "It ran at Penn.",
        "First in 1945",
        "Then at Aberdeen.",
        "Name: EDVAC; Year: 1949",
        code('print("no prose")\n'),
        "A block of HTML",
    ]
    assert (raw.title, raw.time, raw.metadata) == ("The ENIAC machine", "1946-02-14", {"tags": ["machines"]})


def test_the_first_heading_of_markdown_is_its_title(tmp_path):
    (raw,) = read(tmp_path / "a.markdown", "Intro.\n\n## The *Baby*\n\n# Other\n")
    assert (raw.title, paragraphs(raw)) == ("The Baby", ["Intro.", "The Baby", "Other"])


HTML = """<html><head><title>ENIAC - A page</title><style>p {}</style></head><body><nav><a href="/">Home</a></nav>
<article><h1>ENIAC</h1><p>The <b>ENIAC</b> was built at the University of
Pennsylvania by <a href="/m">John Mauchly</a> &amp; J. Presper Eckert. It was announced in 1946.</p>
<ul><li>Ballistics tables were its purpose at first</li></ul>
<table><tr><th>Name</th><th>Year</th></tr><tr><td>EDVAC</td><td>1949</td></tr></table>
<pre>no prose</pre><p>It ran until 1955 in Aberdeen, Maryland, where it was taken apart.</p></article>
<script>no()</script><footer>Copyright</footer></body></html>"""


def test_html_gives_the_article_without_what_surrounds_it(tmp_path):
    (raw,) = read(tmp_path / "eniac.html", HTML)
    assert paragraphs(raw) == [
        "ENIAC",
        "The ENIAC was built at the University of Pennsylvania by John Mauchly & J. Presper Eckert. "
        "It was announced in 1946.",
        "Ballistics tables were its purpose at first",
        "Name: EDVAC; Year: 1949",
        "It ran until 1955 in Aberdeen, Maryland, where it was taken apart.",
    ]
    assert raw.title == "ENIAC"


@pytest.mark.parametrize(
    "html",
    [
        "<p>Ada Lovelace wrote <b>notes",
        "<html><body><div>Ada Lovelace <p></div></b>wrote notes<table><tr><td></html></html",
        "<<<div Ada></p>Ada Lovelace wrote notes<!-- never closed",
        "Ada Lovelace wrote notes",
    ],
)
def test_broken_html_gives_its_text(tmp_path, html):
    (raw,) = read(tmp_path / "ada.htm", html)
    words = raw.text.split()
    assert "Ada" in words and "Lovelace" in words and "wrote" in words and "notes" in words


@pytest.mark.parametrize(
    "html", ["<svg><p><p>Ada wrote notes", "Ada wrote\x01 notes<p>", "<p>&#1;Ada wrote notes<svg><p>"]
)
def test_html_on_which_the_parsers_stumble_gives_its_text(tmp_path, html):
    (raw,) = read(tmp_path / "ada.html", html)
    assert raw.text.replace("\x01", "").strip() == "Ada wrote notes"


def test_html_without_text_is_a_failure(tmp_path):
    (raw,) = read(tmp_path / "empty.html", "<html><head><title>x</title></head><body><img src=x></body></html>")
    assert document(raw, source=raw.uri) == Failure("read", raw.uri, "no text")


def test_html_is_decoded_by_its_own_statement(tmp_path):
    html = HTML.replace("<head>", '<head><meta charset="iso-8859-2">').replace("John Mauchly", "Paweł Erdős")
    (raw,) = read(tmp_path / "a.html", html.encode("iso-8859-2"))
    assert "Paweł Erdős" in raw.text


def test_jsonl_gives_a_text_a_row_and_a_failure_for_a_bad_line(tmp_path):
    path = tmp_path / "rows.jsonl"
    rows = [
        json.dumps({"id": "a b", "text": "First.", "title": "One", "time": "1946", "language": "en", "licence": "CC0"}),
        "{not json",
        "",
        json.dumps({"text": "No id."}),
        json.dumps({"id": "a b", "text": "Again."}),
        json.dumps(["no object"]),
        json.dumps({"id": 7, "txt": "misspelt"}),
    ]
    uri = path.as_uri()
    found = read(path, "\n".join(rows).encode() + b'\n{"text": "\xff"}\n')
    assert found[:3] == [
        Raw(f"{uri}#a%20b", "First.", "One", "1946", "en", {"licence": "CC0"}),
        found[1],
        Raw(f"{uri}#4", "No id."),
    ]
    assert [(f.key, f.reason) for f in found if isinstance(f, Failure)] == [
        (f"{uri}#line-2", 'line 2 is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1); '
         'expected {"id", "text"}'),
        (f"{uri}#line-5", 'line 5 has the id "a b" of an earlier line'),
        (f"{uri}#line-6", 'line 6 has no "text"; expected {"id", "text", "title"?}'),
        (f"{uri}#line-7", 'line 7 has no "text"; expected {"id", "text", "title"?}'),
        (f"{uri}#line-8", "line 8 is not UTF-8 (byte 11); JSON Lines are"),
    ]  # fmt: skip


def test_a_row_of_jsonl_that_is_too_long_is_skipped_and_the_next_is_read(tmp_path):
    rows = [{"id": "long", "text": "x" * 5000}, {"id": "short", "text": "y"}]
    data = "\n".join(map(json.dumps, rows)).encode()
    packed = tmp_path / "a.jsonl.gz"
    found = read(packed, gzip.compress(data), max_bytes=1000)
    assert [type(item).__name__ for item in found] == ["Failure", "Raw"]
    assert found[0].reason == "line 1 is longer than the 1,000 bytes allowed"


def test_packed_files_are_unpacked_within_the_limit(tmp_path):
    (raw,) = read(tmp_path / "a.txt.gz", gzip.compress(b"Ada wrote."))
    assert raw.text == "Ada wrote."
    (large,) = read(tmp_path / "b.txt.gz", gzip.compress(b"a" * 5_000_000))
    assert large.reason == "too large: unpacks to more than the 1,000,000 bytes allowed"
    (damaged,) = read(tmp_path / "c.txt.gz", gzip.compress(b"a" * 5000)[:-9])
    assert damaged.reason.startswith("damaged .gz")
    (no_gzip,) = read(tmp_path / "d.txt.gz", b"plain")
    assert no_gzip.reason == "cannot be read: Not a gzipped file (b'pl')"


def test_a_file_over_the_limit_is_a_failure(tmp_path):
    (found,) = read(tmp_path / "a.txt", b"a" * 20, max_bytes=10)
    assert found.reason == "too large: 20 bytes, 10 allowed; split it, or raise max_bytes in kgpipe.toml"


def test_a_file_that_cannot_be_opened_is_a_failure(tmp_path):
    folder = tmp_path / "x.txt"
    folder.mkdir()
    (found,) = read_file(folder, max_bytes=MAX)
    assert (found.reason, found.exception) == ("cannot be read: Is a directory", "IsADirectoryError")


def test_a_title_comes_from_the_first_line_or_the_file_name(tmp_path):
    raw = Raw((tmp_path / "konrad_zuse-z3.txt.gz").as_uri(), "Konrad Zuse built the Z3. It ran.")
    assert document(raw, source=raw.uri).title == "konrad zuse z3"
    raw = Raw((tmp_path / "z3.txt").as_uri(), "The Z3\n\nKonrad Zuse built it.")
    assert document(raw, source=raw.uri).title == "The Z3"
    assert title_from_name(tmp_path / "a.b.md") == "a.b"


MARKUP = st.lists(
    st.sampled_from(["<p>", "</p>", "<div", ">", "<table><tr>", "<!--", "<script>", "&#0;", "&amp", "# ", "* ", "|a|b|\n|-|-|\n", "`",
                     "[x](", "> ", "---\n", "a: [", "\n", "Ada wrote.", "\ufffd", "\x00", "<?xml encoding='utf-16'?>", '{"text": "',
                     '"}', "\\ud800", "<![CDATA[", "<html>", "é", "- ", "<svg>", "]]>"])
).map("".join)  # fmt: skip


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("formats")


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(), MARKUP.map(lambda text: text.encode("utf-8", "replace"))))
def test_whatever_a_file_holds_it_gives_documents_or_failures(scratch, data):
    for name in ("a.txt", "a.md", "a.html", "a.jsonl", "a.txt.gz"):
        for item in read(scratch / name, data):
            made = document(item, source=item.uri) if isinstance(item, Raw) else item
            assert isinstance(made, Document | Failure)
            to_table("failures" if isinstance(made, Failure) else "documents", [made])
