"""Documents with marked mentions, so that tests of resolution read like the texts they are about."""

import re
from types import SimpleNamespace

import pytest

from kgpipe import schema as schemas
from kgpipe.records import Document, Extraction, Mention, Passage, Relation, as_row, to_table
from kgpipe.resolve import review, run

SCHEMA = schemas.parse(
    """
name: test
entities:
  Person: {label: person}
  Organization: {label: organization}
  Company: {is: Organization, label: company, synonyms: [firm]}
  University: {is: Organization, label: university}
  Machine: {label: computer, synonyms: [machine]}
  ProgrammingLanguage: {label: programming language}
  Place: {label: place}
  Date: {literal: date}
relations:
  BORN_ON: {domain: [Person], range: [Date], functional: true}
  BORN_IN: {domain: [Person], range: [Place], functional: true}
  DIED_IN: {domain: [Person], range: [Place], functional: true}
  WORKED_FOR: {domain: [Person], range: [Organization], inverse: EMPLOYED}
  EMPLOYED: {domain: [Organization], range: [Person]}
  SPOUSE: {domain: [Person], range: [Person], symmetric: true}
  FOUNDED: {domain: [Person], range: [Organization], inverse: FOUNDED_BY}
  DESIGNED: {domain: [Person, Organization], range: [Machine]}
"""
)
_MARKED = re.compile(r"\[([^|\]]+)\|(\w+)(?:=([^\]]+))?\]")


def marked(name, text, *relations, title="", fingerprint="f"):
    """A document and its extraction: `[Alan Turing|Person]` marks a mention, `[1912|Date=1912]` one with a value.

    Relations are (subject, type, object) or (subject, type, object, polarity), by place of the mention.
    """
    plain, mentions, end = "", [], 0
    for match in _MARKED.finditer(text):
        plain += text[end : match.start()]
        mentions.append(Mention(len(plain), len(plain) + len(match[1]), match[2], 0.9, match[3] or ""))
        plain, end = plain + match[1], match.end()
    plain += text[end:]
    document = Document(uri=f"file:///{name}", text=plain, title=title)
    passage = Passage(document.uid, document.version, 0, len(plain), plain)
    found = tuple(Relation(s, kind, o, 0.8, *polarity) for s, kind, o, *polarity in relations)
    return document, Extraction(passage.uid, fingerprint, document.uid, tuple(mentions), found)


def resolved(*documents, decisions=None, previous=None):
    """Resolution of marked documents: tables, counts, names of every entity, and facts in words."""
    tables, counts = run.resolve(
        to_table("extractions", [extraction for _, extraction in documents]),
        {document.uid: as_row(document) for document, _ in documents},
        SCHEMA,
        decisions or review.Decisions(),
        previous or {},
    )
    name = {e.uid: e.name for e in tables["entities"]} | {row.uid: row.value for row in tables["literals"]}
    return SimpleNamespace(
        **tables,
        counts=counts,
        groups=sorted(sorted([e.name, *e.aliases]) for e in tables["entities"]),
        said=sorted((name[f.subject], f.type, name[f.object]) for f in tables["facts"]),
        content=_content(tables),
    )


def _content(tables):
    """Everything but the uids of entities, which depend on what was there before."""
    mentions = {e.uid: e.mentions for e in tables["entities"]}
    return {
        "entities": sorted((e.type, e.name, e.aliases, e.mentions) for e in tables["entities"]),
        "merges": tables["merges"],
        "evidence": sorted((e.uid, e.relation, mentions[e.subject], mentions.get(e.object)) for e in tables["evidence"]),
        "facts": sorted((mentions[f.subject], f.type, str(mentions.get(f.object, f.object)), f.support, f.score)
                        for f in tables["facts"]),
    }  # fmt: skip


@pytest.fixture(scope="session")
def schema():
    return SCHEMA


@pytest.fixture(scope="session")
def document():
    return marked


@pytest.fixture(scope="session")
def resolve():
    return resolved
