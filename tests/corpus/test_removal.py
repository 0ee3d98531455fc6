"""Nothing is removed silently: what cleaning, filters and masks take out is counted, and marks keep true offsets."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgpipe.config import Config
from kgpipe.corpus import delete, read, report, sources, split
from kgpipe.corpus.clean import DROPS, clean, cleaned
from kgpipe.corpus.document import Reading, document
from kgpipe.corpus.personal import FINDERS, masked, masked_values
from kgpipe.corpus.quality import FILTERS, reason_to_remove
from kgpipe.corpus.raw import CODE, CODE_END, PAGE, Raw
from kgpipe.records import Mark, Removal, Removed
from kgpipe.workspace import Workspace

PROSE = "Ada Lovelace wrote notes on the Analytical Engine, which Charles Babbage had designed in London."


def test_boilerplate_and_repeated_paragraphs_go_and_are_counted():
    text = "\n\n".join([
        "Skip to main content", "Home | About us | Contact | Search", PROSE, "Advertisement", "We use cookies to improve this page.",
        "Advertisement", "The cookies that Turing baked were good, and we use them as an example here.", "Advertisement",
        "© 2024 Example Ltd",
    ])  # fmt: skip
    found = clean(text, drop=DROPS)
    assert found.text.split("\n\n") == [
        PROSE,
        "Advertisement",
        "The cookies that Turing baked were good, and we use them as an example here.",
    ]
    assert found.removals == (
        Removal("boilerplate", 4, 108, "Skip to main content"), Removal("repeated", 2, 26, "Advertisement")
    )  # fmt: skip
    assert cleaned(text).count("Advertisement") == 3


def test_damaged_characters_are_counted_with_a_sample():
    assert clean("CafÃ© Zuse\n\nno damage").removals == (Removal("encoding mended", 1, 0, "CafÃ© Zuse"),)


REFERENCES = """The engine wove patterns.

References

[1] A. Turing, On computable numbers, Proc. London Math. Soc. 42 (1936), pp. 230-265.

Hopper, G. (1952). The education of a computer. doi:10.1145/609784.609818

Later work

It was never finished."""


def test_a_list_of_references_is_marked_until_prose_goes_on():
    found = clean(REFERENCES)
    (mark,) = found.marks
    assert mark.kind == "references"
    assert found.text[mark.start : mark.end].startswith("References") and found.text[mark.start : mark.end].endswith(
        "609818"
    )
    assert found.text == REFERENCES
    assert clean("References\n\nHe gave two references to his friend.").marks == ()


PIECES = st.sampled_from(
    [
        PAGE,
        f"{CODE}x = 1\n\ny{CODE_END}",
        "\n\n",
        "\n",
        " ",
        PROSE,
        "王选",
        "é",
        "References\n\n[1] x. 1999",
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=15).map("".join))
def test_marks_stand_inside_the_text_and_pages_follow_each_other(text):
    found = clean(text, drop=DROPS)
    assert all(0 <= m.start < m.end <= len(found.text) for m in found.marks)
    pages = [m for m in found.marks if m.kind == "page"]
    assert all(a.end == b.start for a, b in zip(pages, pages[1:], strict=False))
    assert not set(found.text) & {PAGE}
    for mark in found.marks:
        if mark.kind == "code":
            assert found.text[mark.start : mark.end] == "x = 1\n\ny"


def test_code_and_references_give_no_passages_unless_wanted(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text(f"# Ada\n\n{PROSE}\n\n```\nbob = Person('Alice')\n```\n\n{REFERENCES}")
    workspace = Workspace(tmp_path / "ws")
    workspace.set_state("paths", {"paths": [str(tmp_path / "docs")]})
    texts = {}
    for skip in (("code", "references"), ()):
        for stage in (sources, read, split):
            stage.run(workspace, Config(skip=skip))
        rows = workspace.read("passages").to_pylist()
        text = workspace.read("documents").column("text")[0].as_py()
        assert all(row["text"] == text[row["start"] : row["end"]] for row in rows)
        texts[skip] = " ".join(row["text"] for row in rows)
    assert "Alice" not in texts["code", "references"] and "Turing" not in texts["code", "references"]
    assert "never finished" in texts["code", "references"]
    assert "Alice" in texts[()] and "Turing" in texts[()]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Machine 3 was built.", ""),
        (PROSE * 5, ""),
        ("王选是中国计算机科学家，他领导研制了汉字激光照排系统。" * 12, ""),
        ("12.5 | 33.1 | --- | 55 %\n\n" * 20, "mostly digits and symbols (0% letters, 40% needed)"),
        ("\n\n".join(["Buy our books today"] * 30), "repeats its lines (88% of the text, 50% allowed)"),
        ("spam and " * 100, 'repeats one word ("spam" is 50% of all, 40% allowed)'),
        (f"{PROSE} {'QUJD' * 400}", "no words but encoded data (94% of it in words over 100 characters)"),
        ("Lorem ipsum dolor sit amet, consectetur adipiscing elit. " * 6, "placeholder text (lorem ipsum)"),
    ],
)
def test_filters_say_why(text, reason):
    assert reason_to_remove(text, filters=tuple(FILTERS)) == reason


def test_short_documents_are_removed_by_option():
    made = document(Raw("file:///a.txt", "Ada wrote."), source="s", settings=Reading(min_words=5))
    assert made == Removed("file:///a.txt", "shorter than min_words (5)", 10, "Ada wrote.", "a", "s")


def test_the_report_shows_what_went_and_a_looser_filter_brings_it_back(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "spam.txt").write_text("\n\n".join(["Buy our books today"] * 30))
    (tmp_path / "docs" / "page.txt").write_text(f"We use cookies here.\n\n{PROSE}")
    (tmp_path / "docs" / "bad.txt").write_bytes(b"\0\1\2\3")
    workspace = Workspace(tmp_path / "ws")
    workspace.set_state("paths", {"paths": [str(tmp_path / "docs")]})
    sources.run(workspace, Config())
    counts = read.run(workspace, Config())
    assert {k: v for k, v in counts.items() if v} == {"documents": 1, "filtered": 1, "failed": 1}
    assert not any(v for v in read.run(workspace, Config()).values())
    found = report.report(workspace)
    uri = (tmp_path / "docs").as_uri()
    assert [(r["reason"], r["documents"], r["samples"][0]["uri"]) for r in found["removed"]] == [
        ("repeats its lines", 1, f"{uri}/spam.txt")
    ]
    assert found["taken_out"] == [{
        "reason": "boilerplate", "documents": 1, "times": 1, "characters": 20,
        "samples": [{"uri": f"{uri}/page.txt", "text": "We use cookies here."}],
    }]  # fmt: skip
    assert [r["reason"] for r in found["failures"]] == ["not text"]
    assert "    repeats its lines" in "\n".join(report.lines(found)).replace("  repeats", "    repeats")
    assert delete.delete_document(workspace, f"{uri}/spam.txt")["documents"] == 0
    assert workspace.read("removed").num_rows == 0 and f"{uri}/spam.txt" not in workspace.keys("sources")
    sources.run(workspace, Config())
    loose = read.run(workspace, Config(quality=()))
    assert {k: v for k, v in loose.items() if v} == {"documents": 1}
    assert workspace.read("removed").num_rows == 0


PERSONAL = (
    "Write to ada.l@example.org or call +44 20 7946 0958 or (650) 253-0000; card 4111 1111 1111 1111, IBAN DE89 3704 0044 "
    "0532 0130 00, SSN 536-90-4399, 身份证 11010519491231002X, host 192.168.0.1 and 2001:db8::1."
)
HARMLESS = "On 1946-02-14, version 10.2.3, card 4111 1111 1111 1112, IBAN DE00 3704 0044 0532 0130 00, pages 123-4567, ISBN 978-3-16-148410-0, 999.1.1.1."


def test_personal_data_is_masked_by_kind_with_checksums():
    text, _, counts = masked(PERSONAL, kinds=tuple(FINDERS))
    assert text == (
        "Write to [email] or call [phone] or [phone]; card [card], IBAN [identity], SSN [identity], 身份证 [identity], "
        "host [ip] and [ip]."
    )
    assert counts == {"email": 1, "phone": 2, "card": 1, "identity": 3, "ip": 2}
    assert masked(HARMLESS, kinds=tuple(FINDERS))[0] == HARMLESS
    assert masked(PERSONAL, kinds=("ip",))[2] == {"ip": 2}


def test_masks_move_marks_and_reach_titles_and_metadata():
    text = f"{PERSONAL}\n\n{PERSONAL}"
    start = text.index("call", 50)
    new, (mark,), _ = masked(text, (Mark(start, start + 4, "code"),), kinds=tuple(FINDERS))
    assert new[mark.start : mark.end] == "call"
    assert masked_values({"to": ["a@b.org", 5], "card": 4111111111111111}, kinds=("email", "card"))[0] == {
        "to": ["[email]", 5], "card": "[card]"
    }  # fmt: skip
    raw = Raw(
        "file:///a.eml", f"{PERSONAL} {PROSE}", "From ada.l@example.org", metadata={"author": "Ada <ada.l@example.org>"}
    )
    made = document(raw, source="", settings=Reading(mask=tuple(FINDERS)))
    stored = json.dumps([made.text, made.title, made.metadata, [r.sample for r in made.removals]])
    assert "ada.l" not in stored and "4111" not in stored
    assert {r.kind: r.count for r in made.removals}["masked email"] == 3


def test_masking_redoes_what_was_stored_without(tmp_path):
    (tmp_path / "a.txt").write_text(f"{PROSE} {PERSONAL}")
    workspace = Workspace(tmp_path / "ws")
    workspace.set_state("paths", {"paths": [str(tmp_path / "a.txt")]})
    for config in (Config(), Config(mask=("email",))):
        sources.run(workspace, config)
        read.run(workspace, config)
    assert "[email]" in workspace.read("documents").column("text")[0].as_py()
    assert not any(b"ada.l@" in path.read_bytes() for path in workspace.path.rglob("*.parquet"))
