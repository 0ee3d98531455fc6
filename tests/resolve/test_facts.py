import pytest

from kgpipe import schema as schemas
from kgpipe.resolve import facts
from kgpipe.resolve.facts import Statement

SCHEMA = schemas.parse(
    """
entities:
  Person: {}
  Company: {}
  Date: {literal: date}
relations:
  WORKED_FOR: {inverse: EMPLOYED}
  EMPLOYED: {}
  SPOUSE: {symmetric: true}
  KNOWS: {}
  FOUNDED_BY: {}
  FOUNDED: {inverse: FOUNDED_BY}
  BORN_ON: {range: [Date], functional: true}
"""
)
TEXT = "Ada met Bob. They married\nin 1835. Ada worked for Acme."
TEXTS = {"doc": ("file:///doc", TEXT, [(0, 12), (13, 34), (35, len(TEXT))])}


TYPES = dict.fromkeys(("a", "b", "ada", "bob"), "Person") | {"acme": "Company", "1900": "Date"}


def statement(subject, kind, object_, *, start=0, end=11, polarity="asserted", score=0.8, literal=False, uid=""):
    return Statement(
        uid=uid or f"{subject}-{kind}-{object_}-{start}-{polarity}", type=kind, subject=subject, object=object_,
        subject_literal=False, object_literal=literal, document="doc", passage="p", start=start, end=end,
        polarity=polarity, extractor="encoder", score=score, run="f",
    )  # fmt: skip


def made(*statements):
    rows, evidence, left_out = facts.facts_of(statements, SCHEMA, TEXTS, TYPES)
    return [(f.subject, f.type, f.object) for f in rows], evidence, dict(left_out)


def test_a_symmetric_relation_is_one_fact_whoever_is_named_first():
    rows, evidence, _ = made(statement("b", "SPOUSE", "a"), statement("a", "SPOUSE", "b", start=20))
    assert rows == [("a", "SPOUSE", "b")]
    assert [(e.subject, e.object) for e in evidence] == [("a", "b")] * 2


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (("acme", "EMPLOYED", "ada"), ("ada", "WORKED_FOR", "acme")),
        (("ada", "WORKED_FOR", "acme"), ("ada", "WORKED_FOR", "acme")),
        (("ada", "FOUNDED", "acme"), ("acme", "FOUNDED_BY", "ada")),
        (("ada", "KNOWS", "bob"), ("ada", "KNOWS", "bob")),
        (("ada", "UNKNOWN_TO_THE_SCHEMA", "bob"), ("ada", "UNKNOWN_TO_THE_SCHEMA", "bob")),
    ],
)
def test_of_two_inverse_relations_the_one_listed_first_is_kept(said, kept):
    assert made(statement(*said))[0] == [kept]


def test_an_inverse_that_is_no_relation_of_the_schema_is_only_a_name():
    schema = schemas.parse("entities: {Person: {}}\nrelations:\n  WORKED_FOR: {inverse: EMPLOYED}\n")
    assert facts.canonical_relations(schema) == {}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (statement("a", "KNOWS", "b", polarity="negated"), "negated"),
        (statement("a", "KNOWS", "b", polarity="hedged"), "hedged"),
        (statement("a", "KNOWS", "a"), "self"),
        (statement("", "KNOWS", "b"), "unresolved"),
        (statement("a", "KNOWS", ""), "unresolved"),
        (statement("a", "EMPLOYED", "1900", literal=True), "literal_subject"),
        (statement("a", "BORN_ON", "b"), "type"),
    ],
)
def test_what_is_left_out_is_counted_by_reason(given, reason):
    assert made(given) == ([], [], {reason: 1})


def test_support_counts_sentences_and_the_best_one_speaks_for_the_fact():
    rows, evidence, _ = facts.facts_of(
        [
            statement("a", "WORKED_FOR", "b", start=0, end=11, score=0.5, uid="1"),
            statement("a", "WORKED_FOR", "b", start=4, end=11, score=0.6, uid="2"),
            statement("a", "WORKED_FOR", "b", start=13, end=33, score=0.9, uid="3"),
        ],
        SCHEMA,
        TEXTS,
        TYPES,
    )
    assert [(f.support, f.score, f.sentence, f.source) for f in rows] == [
        (2, 0.9, "They married in 1835.", "file:///doc")
    ]
    assert [(e.uid, TEXT[e.start : e.end] == e.sentence) for e in evidence] == [("1", True), ("2", True), ("3", True)]


@pytest.mark.parametrize(
    ("start", "end", "span"),
    [(0, 3, (0, 12)), (8, 12, (0, 12)), (13, 17, (13, 34)), (4, 20, (0, 34)), (40, 50, (35, len(TEXT)))],
)
def test_the_sentences_around_two_mentions(start, end, span):
    assert facts.around(TEXTS["doc"][2], start, end) == span


def test_without_sentences_the_mentions_are_the_span():
    assert facts.around([], 3, 9) == (3, 9)


def test_a_stretch_around_a_sentence_is_no_second_support():
    assert facts.n_sentences({("d", 35, 57), ("d", 13, 57), ("d", 0, 57)}) == 1
    assert facts.n_sentences({("d", 0, 12), ("d", 13, 34), ("e", 0, 12)}) == 3
    assert facts.n_sentences({("d", 0, 20), ("d", 10, 30)}) == 2
