"""Attack strings by every way in: none writes, reaches outside the graph, hangs or ends in a traceback."""

import contextlib
import json
import os
from pathlib import Path

import pytest

from kgpipe.errors import InputError, KgpipeError
from kgpipe.graph.store import Store
from kgpipe.models.generate import Reply
from kgpipe.query import answer, guard, lm
from tests.query.conftest import DOCUMENT, ENTITIES, FACTS, fill
from tests.query.test_guard import fingerprint

ATTACKS = [
    json.loads(line) for line in (Path(__file__).parent / "attacks.jsonl").read_text(encoding="utf-8").splitlines()
]
READS_OUTSIDE = ("LoadCSV", "ProcedureCall", "Show", "Terminate")


@pytest.fixture(scope="module")
def attacked(neo4j, schema):
    """The small graph with attack strings for names of entities and text of documents."""
    hostile = {
        f"{a['text'][:5000]}".replace("\x00", "").encode("utf-8", "replace").decode(): ("Person", [])
        for a in ATTACKS if a["kind"] == "name"
    }  # fmt: skip
    names = list(hostile)
    with Store(neo4j.uri, neo4j.user, neo4j.password) as opened:
        fill(opened, schema, ENTITIES | hostile, [*FACTS, *((name, "DESIGNED", "Unix") for name in names)])
        texts = [a["text"].encode("utf-8", "replace").decode() for a in ATTACKS if a["kind"] == "document"]
        opened.write(
            "UNWIND range(0, size($texts) - 1) AS i MATCH (d:Document {uri: $uri}) "
            "CREATE (d)<-[:PART_OF]-(:Passage {uid: 'attack' + i, text: $texts[i], start: 0, end: 10})",
            {"texts": texts, "uri": DOCUMENT},
        )
        opened.write("CALL db.awaitIndexes(60)")
        yield opened


def test_there_are_attacks_of_every_kind():
    kinds = [a["kind"] for a in ATTACKS]
    assert len(kinds) >= 300
    assert set(kinds) == {"lm", "question", "name", "document", "reply"}


def test_texts_of_a_language_model_read_the_graph_or_are_refused(attacked):
    before = fingerprint(attacked)
    for attack in ATTACKS:
        if attack["kind"] != "lm":
            continue
        try:
            guard.run(attack["text"], {}, attacked, timeout_s=2, max_rows=100)
        except KgpipeError as refusal:
            assert str(refusal)
            continue
        operators = attacked.explain(attack["text"]).operators
        assert not [o for o in operators if o.startswith(READS_OUTSIDE)], attack["text"]
    assert fingerprint(attacked) == before


class Parrot:
    """A language model that replies the same whatever it is told."""

    def __init__(self, text):
        self.text = text
        self.told = []

    def reply(self, messages, schema):
        self.told.append(messages)
        return Reply(self.text, True)


def test_replies_of_a_language_model_change_nothing_and_say_nothing_of_their_own(attacked, schema):
    before = fingerprint(attacked)
    replies = [a["text"] for a in ATTACKS if a["kind"] == "reply"]
    replies += [json.dumps({"cypher": a["text"]}) for a in ATTACKS if a["kind"] == "lm"][
        :: 1 if os.environ.get("CI") else 8
    ]
    for reply in replies:
        found = answer.ask("Who designed the Analytical Engine?", attacked, schema, lm=Parrot(reply))
        json.dumps(found.to_json())
        assert found.text == "Charles Babbage."
        assert "\x1b" not in "\n".join(answer.lines(found, verbose=True))
    assert fingerprint(attacked) == before


def test_hostile_names_reach_a_language_model_as_data(attacked, schema):
    for attack in ATTACKS:
        if attack["kind"] == "name":
            model = Parrot('{"cypher": "MATCH (n:Wizard) RETURN n.name"}')
            with contextlib.suppress(InputError):
                answer.ask(f"What did {attack['text'][:300]} design?", attacked, schema, lm=model)
                told = model.told[0][0]["content"]
                assert told.startswith(lm.WRITE)
                assert set(json.loads(told[len(lm.WRITE) :])) == {
                    "question", "labels", "relationships", "hint", "values of the question", "parameters"
                }  # fmt: skip


def test_questions_about_hostile_names_and_texts_change_nothing(attacked, schema):
    before = fingerprint(attacked)
    questions = [a["text"] for a in ATTACKS if a["kind"] == "question"]
    questions += [f"What did {a['text'][:300]} design?" for a in ATTACKS if a["kind"] == "name"]
    questions += [a["text"][:300] for a in ATTACKS if a["kind"] == "document"]
    for question in questions:
        try:
            found = answer.ask(question, attacked, schema)
        except KgpipeError as error:
            assert "\n" not in str(error)
            continue
        json.dumps(found.to_json())
        assert answer.lines(found, verbose=True)
    assert fingerprint(attacked) == before
