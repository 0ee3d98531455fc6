import pytest

from kgpipe.errors import InputError
from kgpipe.resolve import review
from kgpipe.resolve.review import Decisions, NameKey


def load(tmp_path, schema, text):
    path = tmp_path / "decisions.yaml"
    path.write_text(text, encoding="utf-8")
    return review.load(str(path), schema)


def test_pairs_of_names_with_and_without_a_type(tmp_path, schema):
    found = load(
        tmp_path,
        schema,
        'must_link:\n  - [IBM, Big Blue]\ncannot_link:\n  - ["Cambridge|Place", "The Cambridge|University"]\n',
    )
    assert found == Decisions(
        must_link=((NameKey("ibm", "", "IBM"), NameKey("big blue", "", "Big Blue")),),
        cannot_link=(
            (NameKey("cambridge", "Place", "Cambridge|Place"),
             NameKey("cambridge", "Organization", "The Cambridge|University")),
        ),
    )  # fmt: skip


@pytest.mark.parametrize("text", ["", "must_link: []\n"])
def test_no_decisions(tmp_path, schema, text):
    assert load(tmp_path, schema, text) == Decisions() == review.load("", schema)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("must_link:\n  - [IBM]\n", r"decisions.yaml line 2: expected two names"),
        ("must_link:\n  - IBM\n", r"line 2: expected two names"),
        ("must_link: IBM\n", r"line 1: expected a list of pairs"),
        (
            "mustlink:\n  - [A, B]\n",
            r'Unknown key "mustlink" in .*decisions.yaml line 1; known: must_link, cannot_link',
        ),
        ('cannot_link:\n  - [A, "B|Robot"]\n', r'Unknown type "Robot" in .* line 2; known: Person'),
        ("cannot_link:\n  - [Turing, turing’s]\n", r"line 2: .* are one name"),
        ("- a\n", r"holds no mapping"),
        ("must_link: [\n", r"line \d+ is not YAML"),
        ("must_link:\n  - [A, B]\n  - [B, C]\ncannot_link:\n  - [A, C]\n", r"line 5: .* contradicts the must_link"),
    ],
)
def test_a_wrong_file_is_named_with_its_line(tmp_path, schema, text, message):
    with pytest.raises(InputError, match=message):
        load(tmp_path, schema, text)


def test_a_missing_file_is_named(schema):
    with pytest.raises(InputError, match="Cannot read the decisions file /nowhere.yaml"):
        review.load("/nowhere.yaml", schema)
