"""Attack strings by every way in: none writes, reaches outside the graph, hangs or ends in a traceback."""

import contextlib
import json
import os

from kgpipe.errors import InputError, KgpipeError
from kgpipe.models.generate import Reply
from kgpipe.query import answer, guard, lm
from tests.query.conftest import ATTACKS
from tests.query.test_guard import fingerprint

READS_OUTSIDE = ("LoadCSV", "ProcedureCall", "Show", "Terminate")


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
