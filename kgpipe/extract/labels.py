"""Texts of labels: what a schema's types read like to the model, and other ways to say the labels of training sets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kgpipe.models.embed import Embedder
from kgpipe.schema import RelationType, Schema, in_words

REPHRASED: dict[str, list[tuple[str, bool]]] = {
    "founded by": [("founded", True), ("founder", False), ("established by", False)],
    "developer": [("developed", True), ("developed by", False), ("maker of", True)],
    "designed by": [("designed", True), ("designer", False)],
    "creator": [("created", True), ("created by", False), ("designed", True)],
    "discoverer or inventor": [("invented", True), ("invented by", False), ("designed", True)],
    "manufacturer": [("manufactured", True), ("made by", False), ("developed", True)],
    "product or material produced": [("developed", False), ("produces", False), ("manufactured by", True)],
    "author": [("author of", True), ("written by", False), ("wrote", True)],
    "director": [("director of", True), ("directed by", False)],
    "screenwriter": [("wrote the screenplay of", True), ("written by", False)],
    "composer": [("composer of", True), ("composed by", False)],
    "lyrics by": [("wrote the lyrics of", True)],
    "producer": [("producer of", True), ("produced by", False)],
    "illustrator": [("illustrated", True), ("illustrated by", False)],
    "performer": [("performer of", True), ("performed by", False)],
    "cast member": [("performed in", True), ("starring", False)],
    "notable work": [("author of", False), ("known for", False), ("creator", True)],
    "employee or member of": [
        ("employer", False),
        ("worked for", False),
        ("works or worked for", False),
        ("has employee", True),
    ],
    "employer": [("worked for", False), ("employed", True), ("works or worked for", False)],
    "work location": [("worked in", False)],
    "educated at": [("studied at", False), ("alma mater", False), ("has student", True)],
    "member of": [("has member", True), ("belongs to", False)],
    "award received": [("won", False), ("awarded to", True), ("received", False)],
    "nominated for": [("nominee", True)],
    "date of birth": [("born on", False)],
    "place of birth": [("born in", False), ("birthplace of", True)],
    "date of death": [("died on", False)],
    "place of death": [("died in", False)],
    "place of residence": [("lived in", False), ("resident", True)],
    "residence": [("lived in", False), ("place of residence", False)],
    "nationality": [("country of citizenship", False)],
    "country of citizenship": [("nationality", False), ("citizen of", False)],
    "political affiliation": [("member of political party", False)],
    "member of political party": [("political affiliation", False)],
    "child of": [("parent of", True), ("son or daughter of", False)],
    "child": [("child of", True), ("parent of", False)],
    "father": [("child of", False), ("father of", True)],
    "mother": [("child of", False), ("mother of", True)],
    "spouse": [("married to", False), ("wife or husband", True)],
    "sibling": [("brother or sister", True)],
    "chief executive officer": [("leader of", True), ("led by", False)],
    "chairperson": [("leader of", True), ("chaired by", False)],
    "head of state": [("leader of", True)],
    "head of government": [("leader of", True), ("governed by", False)],
    "date founded": [("inception", False), ("founded in", False)],
    "inception": [("date founded", False), ("created in", False)],
    "publication date": [("released in", False), ("date of introduction", False)],
    "headquarters location": [("located in", False), ("based in", False), ("headquarters of", True)],
    "location": [("located in", False)],
    "located in the administrative territorial entity": [("located in", False), ("contains", True)],
    "contains administrative territorial entity": [("located in", True), ("contains", False)],
    "country": [("located in", False), ("located in country", False)],
    "subsidiary of": [("parent company", False), ("subsidiary", True), ("owned by", False)],
    "parent organization": [("subsidiary of", False), ("part of", False)],
    "subsidiary": [("subsidiary of", True), ("parent organization of", False)],
    "owned by": [("owner of", True), ("subsidiary of", False)],
    "capital": [("capital of", True)],
    "capital of": [("capital", True)],
    "has part": [("part of", True)],
    "part of": [("has part", True)],
    "participant of": [("participant in", False), ("took part in", False)],
    "participant": [("participant in", True)],
    "conflict": [("fought in", False), ("participant in", False)],
    "influenced by": [("influenced", True), ("inspired by", False)],
    "based on": [("basis of", True), ("derived from", False), ("influenced by", False)],
    "follows": [("followed by", True), ("successor of", False)],
    "followed by": [("follows", True), ("precursor of", False)],
    "replaces": [("replaced by", True)],
    "replaced by": [("replaces", True)],
    "platform": [("runs on", False)],
    "operating system": [("runs on", True)],
    "implementation of": [("implemented by", True)],
    "occupation": [("profession", False)],
    "position held": [("served as", False)],
    "genre": [("kind of work", False)],
    "record label": [("label of the record", False)],
    "publisher": [("published", True), ("published by", False)],
    "production company": [("produced", True)],
    "country of origin": [("comes from", False)],
    "main subject": [("is about", False)],
    "official language": [("language of", True)],
    "languages spoken, written or signed": [("speaks", False)],
}
"""Relation label of the training data to other labels, and whether subject and object change places."""

RENAMED: dict[str, list[str]] = {
    "human": ["person", "human being"],
    "person": ["human", "human being"],
    "organization": ["institution", "organisation or company"],
    "business": ["company", "firm"],
    "company": ["business", "organization"],
    "location": ["place", "city, region or country"],
    "time": ["date"],
    "date": ["time"],
    "number": ["quantity"],
    "computer model": ["computer", "machine"],
    "computer": ["machine"],
    "software": ["computer program", "program"],
    "application": ["software"],
    "operating system": ["software"],
    "written work": ["work", "book or paper"],
    "book": ["written work", "work"],
    "literary work": ["written work", "work"],
    "film": ["movie", "creative work"],
    "musical work": ["song", "creative work"],
    "field": ["field of work", "science"],
    "university": ["school", "college"],
    "award": ["prize"],
    "country": ["state", "nation"],
    "miscellaneous": ["other name"],
}
"""Entity label of the training data to other labels of the same things."""


DISJOINT: dict[str, tuple[str, ...]] = {
    "person": (
        "person", "human", "politician", "writer", "scientist", "researcher", "musical artist", "athlete", "president",
    ),
    "place": (
        "location", "place", "country", "city", "territory", "mountain", "mountain range", "watercourse", "body of water",
        "dam", "reservoir", "drainage basin", "geographic region",
    ),
    "organization": (
        "organization", "business", "company", "university", "political party", "band", "sports club", "publisher",
        "film production company", "sports organization", "professional sports league", "military unit",
    ),
    "work": ("film", "album", "book", "song", "poem", "musical work", "written work", "literary work", "magazine"),
    "award": ("award", "prize", "medal"),
    "event": ("event", "election", "war", "conference", "festival", "tournament", "sports season"),
    "language": ("language", "programming language"),
    "machine": ("computer", "machine", "vehicle", "aircraft", "spacecraft"),
    "program": ("software", "operating system", "application"),
    "field": ("field of work", "discipline", "genre", "profession"),
    "time": ("date", "time"),
    "number": ("number",),
}  # fmt: skip
"""Kinds of things that exclude each other, by the type labels that mean them: a person is no programming language."""


def type_texts(label: str, description: str = "", synonyms: Sequence[str] = ()) -> list[str]:
    """The ways a type is said; the model reads the mean of their vectors."""
    return [label, *([f"{label}: {description}"] if description else []), *synonyms[:2]]


def relation_texts(label: str, description: str = "", domain: str = "", range_: str = "") -> list[str]:
    """The ways a relation is said; the model reads the mean of their vectors."""
    texts = [label]
    if domain or range_:
        texts.append(f"{label} ({domain or 'thing'} to {range_ or 'thing'})")
    if description:
        texts.append(f"{label}: {description}")
    return texts


def label_vectors(schema: Schema, embedder: Embedder) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Unit vectors of the entity types (T, V) and of the readings of relations (R + I, V), and what the last I read.

    The first R readings are the relations in the schema's order. Each of the others is the inverse of a relation that
    names one (`FOUNDED_BY` beside `founded`): the index of that relation; its subject is the relation's object.
    """
    types = [type_texts(e.label, e.description) for e in schema.entities.values()]

    relations = list(schema.relations.values())
    texts = [said(schema, r) for r in relations]
    turned = [i for i, r in enumerate(relations) if r.inverse and r.inverse not in schema.relations]
    for r in (relations[i] for i in turned):
        texts.append(relation_texts(in_words(r.inverse), "", _ends(schema, r.range), _ends(schema, r.domain)))
    return mean_vectors(types, embedder), mean_vectors(texts, embedder), turned


def said(schema: Schema, relation: RelationType) -> list[str]:
    """The ways a relation of a schema is said."""
    ends = [_ends(schema, side) for side in (relation.domain, relation.range)]
    return relation_texts(relation.label, relation.description, *ends)


def _ends(schema: Schema, names: tuple[str, ...]) -> str:
    return " or ".join(schema.entities[n].label for n in names[:2])


def mean_vectors(groups: list[list[str]], embedder: Embedder) -> np.ndarray:
    """The normalised mean of the vectors of each group of texts, (len(groups), V)."""
    flat = [text for group in groups for text in group]
    vectors = embedder.encode(flat, exact=True)
    out, at = np.zeros((len(groups), vectors.shape[1] if len(flat) else 0), np.float32), 0
    for i, group in enumerate(groups):
        mean = vectors[at : at + len(group)].mean(0)
        out[i] = mean / max(1e-9, float(np.linalg.norm(mean)))
        at += len(group)
    return out
