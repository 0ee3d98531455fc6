"""What people see of an extraction: marked text in the terminal, a page for the browser, and `kgpipe extract`."""

import io
import json
import os
import shutil

import pytest
from rich.console import Console

from kgpipe import cli, schema
from kgpipe.colours import of_types
from kgpipe.extract import show

PEOPLE = schema.parse("""
name: people
entities: {Person: {label: person}, Place: {label: location}, Date: {literal: date}}
relations:
  BORN_IN: {label: place of birth, domain: [Person], range: [Place], synonyms: [born in]}
  BORN_ON: {label: date of birth, domain: [Person], range: [Date], synonyms: [born on, born]}
""")
BORN = "Ada Lovelace was born in London on 10 December 1815."


def mention(text, surface, kind, **more):
    start = text.index(surface)
    return {"start": start, "end": start + len(surface), "type": kind, "score": 0.99, **more}


def row(text, *surfaces, relations=(), **more):
    mentions = sorted((mention(text, *s) for s in surfaces), key=lambda m: m["start"])
    return {"id": "a", "text": text, "mentions": mentions, "relations": list(relations), **more}


def relation(head, kind, tail, score=0.93, **more):
    return {"head": head, "tail": tail, "type": kind, "score": score, **more}


ADA = row(
    f"{BORN} She did not live in Paris.\n\nThe end.",
    ("Ada Lovelace", "Person"), ("London", "Place"), ("10 December 1815", "Date"), ("She", "Person"), ("Paris", "Place"),
    relations=[relation(0, "BORN_ON", 2), relation(0, "BORN_IN", 1, 0.9), relation(3, "BORN_IN", 4, polarity="negated")],
    title="Ada",
)  # fmt: skip


def plain(found):
    return [line.plain for line in show.lines(found, of_types(PEOPLE), colour=False)]


def test_without_colours_names_stand_in_brackets_and_relations_below_their_sentence():
    assert plain(ADA) == [
        "Ada: 5 mentions, 3 relations",
        "",
        "[Ada Lovelace|Person] was born in [London|Place] on [10 December 1815|Date].",
        "    Ada Lovelace —BORN_IN→ London (0.90)",
        "    Ada Lovelace —BORN_ON→ 10 December 1815 (0.93)",
        "[She|Person] did not live in [Paris|Place].",
        "    She —BORN_IN→ Paris (0.93, negated)",
        "",
        "The end.",
    ]


def test_with_colours_each_type_has_its_own():
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, color_system="truecolor", width=200)
    for line in show.lines(ADA, of_types(PEOPLE), colour=True):
        console.print(line)
    said = screen.getvalue()
    assert "[Ada" not in said
    assert len(set(of_types(PEOPLE).values())) == 3
    for value in of_types(PEOPLE).values():
        assert ";".join(str(int(value[i : i + 2], 16)) for i in (1, 3, 5)) in said


def test_what_would_act_on_the_screen_is_made_visible():
    odd = row(
        "\x1b[31mAda\0 met\rBob\u202e \ud83d.",
        ("Ada", "Person"),
        ("Bob", "Person"),
        relations=[relation(0, "BORN_IN", 1)],
    )
    assert plain(odd)[2:] == ["␛[31m[Ada|Person]␀ met [Bob|Person]\ufffd \ufffd.", "    Ada —BORN_IN→ Bob (0.93)"]


def test_names_from_right_to_left_keep_the_arrow_in_place():
    text = "עדה נולדה בלונדון."
    found = row(text, ("עדה", "Person"), ("לונדון", "Place"), relations=[relation(0, "BORN_IN", 1)])
    assert plain(found)[-1] == "    \u2068עדה\u2069 —BORN_IN→ \u2068לונדון\u2069 (0.93)"


@pytest.mark.parametrize("text", ["", " \n "])
def test_no_text_is_no_line(text):
    assert plain(row(text)) == ["a: 0 mentions, 0 relations"]
    assert "no text" in show.page([row(text)], PEOPLE, title="t")


def test_a_sentence_border_within_a_name_does_not_cut_it():
    text = "We saw A. B. Sea Ltd. Corp. of Ohio. It was far."
    whole = text.index("A. B."), text.index(" of Ohio")
    found = {"id": 1, "text": text, "relations": [], "mentions": [
        {"start": whole[0], "end": whole[1], "type": "Person", "score": 1.0}]}  # fmt: skip
    (stretch,) = [s for s in show.stretches(found) if s.mentions]
    assert stretch.start <= whole[0] < whole[1] <= stretch.end


def test_long_paragraphs_are_cut_on_the_page_with_relations_near():
    text = "Ada met Bob there. " * 60
    found = {"id": 1, "text": text, "mentions": [], "relations": []}
    assert all(400 <= s.end - s.start < 420 for s in show.stretches(found, least=400)[:-1])


def test_the_page_is_safe_and_needs_no_network():
    evil = "<script>alert(1)</script> & {x}"
    page = show.page([row(f"{evil} Ada", ("Ada", "Person"), title=evil)], PEOPLE, title=evil)
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; {x}" in page
    assert "http:" not in page.replace("http-equiv", "") and "https:" not in page
    assert "default-src 'none'" in page
    assert page.startswith("<!DOCTYPE html>")


@pytest.mark.browser
def test_the_page_in_a_browser(tmp_path):
    if not shutil.which("chromium"):
        assert not os.environ.get("CI"), "CI installs Chromium"
        pytest.skip("no Chromium on this machine; .ci/run installs it")
    from playwright.sync_api import sync_playwright

    hebrew = row("עדה נולדה בלונדון.", ("עדה", "Person"), title="he")
    (tmp_path / "page.html").write_text(show.page([ADA, hebrew], PEOPLE, title="two texts"), encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(color_scheme="dark")
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto((tmp_path / "page.html").as_uri())
        assert page.title() == "two texts"
        assert page.locator("mark.entity").all_inner_texts()[:2] == ["Ada LovelacePerson", "LondonPlace"]
        assert page.locator(".relations li").all_inner_texts()[-1].endswith("0.93 negated")
        directions = [page.locator(".entities").nth(i).evaluate("e => getComputedStyle(e).direction") for i in (0, -1)]
        background, text = (
            page.evaluate(f"getComputedStyle(document.body).{p}") for p in ("backgroundColor", "color")
        )  # fmt: skip
        browser.close()
    assert directions == ["ltr", "rtl"]
    assert (background, text) == ("rgb(23, 24, 27)", "rgb(230, 230, 227)")
    assert asked == [(tmp_path / "page.html").as_uri()]


@pytest.fixture
def extract(tmp_path, capsys, monkeypatch):
    """Runs `kgpipe extract` with a small schema in an empty folder; returns what it printed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "people.yaml").write_text(
        "entities: {Person: {label: person}, Place: {label: location}, Date: {literal: date}}\nrelations:\n"
        "  BORN_ON: {label: date of birth, domain: [Person], range: [Date], synonyms: [born on, born]}\n"
    )

    def run(*arguments):
        cli.app(["extract", *arguments, "--schema", "people.yaml", "--quiet"], standalone_mode=False)
        return capsys.readouterr().out

    return run


def test_a_text_is_printed_marked(extract, tmp_path):
    (tmp_path / "ada.md").write_text("# Ada\n\n**Ada Lovelace** was [born](x) in London on\n10 December 1815.\n")
    said = extract("ada.md").splitlines()
    assert said[0].startswith("Ada: ")
    assert said[-2:] == [
        "[Ada Lovelace|Person] was born in [London|Place] on [10 December 1815|Date].",
        next(line for line in said if line.startswith("    Ada Lovelace —BORN_ON→ 10 December 1815 (")),
    ]


def test_standard_input_to_json_rows(extract, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"  {BORN}\r\n".encode())))
    (line,) = extract("-", "--json").splitlines()
    found = json.loads(line)
    assert (found["id"], found["text"]) == ("-", BORN)
    assert [BORN[m["start"] : m["end"]] for m in found["mentions"]] == ["Ada Lovelace", "London", "10 December 1815"]
    assert [(r["head"], r["type"], r["tail"]) for r in found["relations"]] == [(0, "BORN_ON", 2)]


def test_json_lines_to_page_and_rows(extract, tmp_path):
    (tmp_path / "in.jsonl").write_text(json.dumps({"id": 7, "text": BORN}) + "\n")
    printed = extract("in.jsonl", "--json")
    said = extract("in.jsonl", "--html", "page.html", "--out", "out.jsonl")
    assert said == "out.jsonl, page.html: texts 1, mentions 3, relations 1\n"
    assert (tmp_path / "out.jsonl").read_text() == printed
    assert json.loads(printed).keys() == {"id", "mentions", "relations"}
    assert "BORN_ON" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("empty.txt", b"", "no text"),
        ("blank.html", b"<html><body></body></html>", "no text"),
        ("picture", b"\x89PNG\0\0", "not text"),
        ("empty.jsonl", b"", "is empty"),
        ("broken.json", b"[1,\n2]", "line 1 is not JSON"),
    ],
)
def test_files_without_a_text_are_named(extract, tmp_path, name, data, said):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(cli.InputError, match=said):
        extract(name)


@pytest.mark.parametrize(("name", "said"), [("none.txt", "does not exist"), (".", "is a folder")])
def test_what_is_no_file_is_named(extract, name, said):
    with pytest.raises(cli.InputError, match=said):
        extract(name)
