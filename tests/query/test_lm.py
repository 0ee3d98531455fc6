"""A language model beside the search: a server that behaves and one that does not, a tiny model, both kinds of graph."""

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from kgpipe import cli, pipeline
from kgpipe.errors import ConfigError, LMError, ModelError
from kgpipe.graph.store import Store
from kgpipe.models.generate import load_lm
from kgpipe.query import guard, lm
from kgpipe.query.answer import ask, lines
from kgpipe.query.property_graph import PropertyGraph
from tests.query.test_guard import fingerprint
from tests.query.test_property_graph import SHOP

OBSCURE = "Whose brainchild begat the language of Thompson?"  # no reading of ours is sure of it
INFLUENCE = "MATCH (x:ProgrammingLanguage)-[:INFLUENCED_BY]->(:Entity {name: 'BCPL'}) RETURN x.name ORDER BY x.name"


class FakeServer:
    """Speaks chat completions on loopback: each request takes the next of `replies`, the last one stays.

    A reply is a text, or a function that writes to the handler itself.
    """

    def __init__(self):
        self.replies, self.requests, self.models = [], [], ["tiny"]
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                send(self, json.dumps({"data": [{"id": m} for m in fake.models]}))

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                fake.requests.append(body | {"authorization": self.headers.get("authorization")})
                reply = fake.replies.pop(0) if len(fake.replies) > 1 else fake.replies[0]
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the other side had enough
                    reply(self) if callable(reply) else send(self, completion(reply))

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def prompts(self):
        return [r["messages"][-1]["content"] for r in self.requests]


def completion(text, why="stop"):
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": why}]})


def send(handler, text, status=200, **headers):
    data = text.encode()
    handler.send_response(status)
    for name, value in ({"content-length": str(len(data))} | headers).items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(data)


def cypher(text):
    return json.dumps({"cypher": text})


def sentences(*pairs):
    return json.dumps({"sentences": [{"text": text, "cites": cites} for text, cites in pairs]})


@pytest.fixture
def fake():
    made = FakeServer()
    yield made
    made.server.shutdown()
    made.server.server_close()


def loaded(fake, seconds=10, **options):
    return load_lm(fake.url + "#tiny", seconds=seconds, **options)


# What it writes is run, repaired and ranked


def test_a_written_query_answers_what_no_reading_is_sure_of(fake, store, schema):
    assert ask(OBSCURE, store, schema).source != "graph"
    fake.replies = [cypher(INFLUENCE), sentences(("B and C are languages influenced by BCPL.", [1, 2]))]
    found = ask(OBSCURE, store, schema, lm=loaded(fake))
    assert (found.answers, found.source, found.confidence) == ((("B",), ("C",)), "graph", lm.ALONE)
    assert found.text == "B and C are languages influenced by BCPL."
    assert found.understood.startswith("a query that the language model wrote: MATCH (x:ProgrammingLanguage)")
    assert [(f["subject"], f["relation"], f["object"]) for f in found.facts] == [
        ("B", "INFLUENCED_BY", "BCPL"), ("C", "INFLUENCED_BY", "BCPL"),
    ]  # fmt: skip
    assert {e["sentence"] for e in found.evidence} == {"B influenced by BCPL.", "C influenced by BCPL."}
    assert [n.name for n in found.named] == ["Ken Thompson"]
    assert store.read(found.cypher, found.params)[1] == [list(row) for row in found.answers]


def test_it_is_told_the_schema_the_question_and_the_values_as_parameters(fake, store, schema):
    fake.replies = [cypher("MATCH (x)-[:DESIGNED]->(:Entity {uid: $v0}) RETURN x.name"), sentences()]
    found = ask("Who designed the Analytical Engine?", store, schema, lm=loaded(fake, key="sesame"))
    request = fake.requests[0]
    assert (request["model"], request["temperature"], request["authorization"]) == ("tiny", 0, "Bearer sesame")
    assert request["response_format"]["json_schema"]["schema"] == lm.QUERY_REPLY
    told = json.loads(fake.prompts()[0].partition("\n\n")[2])
    assert told["question"] == "Who designed the Analytical Engine?"
    assert {"pattern", "count", "means"} == set(told["relationships"][0])
    assert "DESIGNED" in json.dumps(told["relationships"])
    assert told["values of the question"][0]["name"] == "Analytical Engine"
    assert found.text == "Charles Babbage."
    assert found.notes == ()


def test_agreement_makes_a_reading_surer_and_difference_is_told(fake, store, schema):
    alone = ask("Who designed the Analytical Engine?", store, schema)
    fake.replies = [cypher("MATCH (x)-[:DESIGNED]->(:Entity {uid: $v0}) RETURN x.name"), sentences()]
    agreed = ask(alone.question, store, schema, lm=loaded(fake))
    assert (agreed.answers, agreed.cypher) == (alone.answers, alone.cypher)
    assert agreed.confidence >= alone.confidence
    fake.replies = [cypher("MATCH (x:Person {name: 'Ada Lovelace'}) RETURN x.name"), sentences()]
    fake.requests.clear()
    differing = ask(alone.question, store, schema, lm=loaded(fake))
    assert (differing.answers, differing.confidence) == (alone.answers, alone.confidence)
    assert differing.notes == ("A query that the language model wrote finds something else: Ada Lovelace.",)


def test_errors_and_empty_results_go_back_three_times(fake, store, schema):
    fake.replies = [
        cypher("MATCH (x:Person RETURN x.name"),
        cypher("MATCH (x:Wizard)-[:DESIGNED]->(y) RETURN x.name"),
        "I would rather not.",
        cypher(INFLUENCE),
        sentences(),
    ]
    found = ask(OBSCURE, store, schema, lm=loaded(fake))
    assert [t["outcome"].split(";")[0].split("(")[0] for t in found.tries[:4]] == [
        "The query is not let through: Neo4j refused a query ",
        "the schema has no label or relationship type Wizard",
        "no query in the reply",
        "2 rows",
    ]
    assert found.answers == (("B",), ("C",))
    assert found.confidence == round(lm.ALONE * 0.8**3, 4)
    assert all(p.startswith("That is of no use: ") for p in fake.prompts()[1:4])
    assert "the language model wrote: MATCH (x:Wizard)" in "\n".join(lines(found, verbose=True))
    assert "Wizard" not in "\n".join(lines(found))


def test_after_three_repairs_it_is_of_no_use(fake, store, schema):
    fake.replies = [cypher(f"MATCH (x:Person {{name: 'Nobody {i}'}}) RETURN x.name") for i in range(9)]
    found = ask(OBSCURE, store, schema, lm=loaded(fake))
    assert found.source != "graph"
    assert len(fake.requests) == 1 + lm.MOST_REPAIRS == len(found.tries)
    assert found.notes[0].startswith(
        "The language model was of no use: The language model wrote no query that is of use"
    )


def test_a_query_without_facts_says_that_none_is_cited(fake, store, schema):
    fake.replies = [cypher("MATCH (x:Award) RETURN count(x)"), sentences()]
    found = ask(OBSCURE, store, schema, lm=loaded(fake))
    assert (found.answers, found.facts) == (((2,),), ())
    assert found.notes == ("No fact can be cited for this query of the language model.",)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ('{"cypher": "MATCH (n) RETURN n.name;"}', "MATCH (n) RETURN n.name"),
        ('Sure!\n```json\n{"cypher": "MATCH (n) RETURN 1"}\n```', "MATCH (n) RETURN 1"),
        ("```cypher\nMATCH (n)\nRETURN 1\n```", "MATCH (n)\nRETURN 1"),
        ("<think>{\"cypher\": \"no\"}</think>MATCH (n) RETURN 1", "MATCH (n) RETURN 1"),
        ("<think>for ever", ""),
        ('{"cypher": 7}', ""),
        ('{"query": "MATCH (n) RETURN 1"}', ""),
        ('{"cypher": "MATCH', ""),
        ('{"cypher":' * 5000, ""),
        ("[" * 50_000, ""),
        ("", ""),
    ],
)  # fmt: skip
def test_query_in_a_reply(reply, expected):
    assert lm.query_in(reply) == expected


FACTS_OF = [
    ("MATCH (x)-[:DESIGNED]->(:Entity {name: 'C'}) RETURN x.name", ["Dennis Ritchie DESIGNED C"]),
    ("MATCH p = (x)-[:DESIGNED]->({name: 'C'}), (x)--(y:University) RETURN y.name",
     ["Dennis Ritchie DESIGNED C", "Dennis Ritchie EDUCATED_AT Harvard University"]),
    ("MATCH (x)-[:INFLUENCED_BY*1..2]->(:Entity {name: 'BCPL'}) WHERE x.name STARTS WITH 'C+' RETURN x.name",
     ["C INFLUENCED_BY BCPL", "C++ INFLUENCED_BY C"]),
    ("MATCH (x:Person)-[:FOUNDED]->(c) OPTIONAL MATCH (c)-[:FOUNDED_ON]->(d) WHERE d.text > '2000' RETURN c.name",
     ["Harlan Anderson FOUNDED Digital Equipment Corporation", "Kenneth Olsen FOUNDED Digital Equipment Corporation"]),
    ("MATCH (x:Person)-[:RECEIVED]->(a) WITH x, count(a) AS n ORDER BY n DESC LIMIT 1 RETURN x.name",
     ["Dennis Ritchie RECEIVED National Medal of Technology", "Dennis Ritchie RECEIVED Turing Award"]),
    ("MATCH (x {name: 'WITH ( RETURN'})-[:DESIGNED]->(y) RETURN x.name UNION MATCH (:Entity {name: 'COBOL'})-[:RELEASED_ON]->(x) "
     "RETURN x.text AS `x.name`", ["COBOL RELEASED_ON 1959"]),
    ("MATCH (m:Machine)<-[:DEVELOPED]-({name: 'Digital Equipment Corporation'}) RETURN count(m)",
     ["Digital Equipment Corporation DEVELOPED PDP-11", "Digital Equipment Corporation DEVELOPED VAX"]),
    ("MATCH (x:Person {name: 'Grace Hopper'})-[:BORN_ON]->(d) WHERE EXISTS { (x)-[:DESIGNED]->(:Entity {name: 'COBOL'}) } "
     "RETURN d.text", ["Grace Hopper BORN_ON 1906-12-09"]),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), FACTS_OF)
def test_facts_of_a_written_query(store, schema, query, expected):
    columns, rows = guard.run(query, {}, store)
    written = lm.Written(query, {}, tuple(columns), rows)
    facts, note = lm.facts_of(written, lm.Brief({}, [], [], {}, relations=tuple(schema.relations)), store)
    assert sorted(f"{f['subject']} {f['relation']} {f['object']}" for f in facts) == expected
    assert note == ""


@pytest.mark.parametrize(
    "query",
    [
        "MATCH (x:Person) RETURN x.name, 'it was Bob' AS note",
        "MATCH (x:Person) WITH 'Bob' AS name RETURN name",
        "UNWIND ['Bob'] AS name MATCH (x) RETURN name",
        "MATCH (x:Person) RETURN DISTINCT 1815 AS born",
        "MATCH (x:Person) RETURN true",
        "MATCH (x:Person)/**/RETURN 1",
        "MATCH (x:Person) RETURN {a: 'Bob'}.a",
        "CALL { RETURN 'Bob' AS name } RETURN name",
        "MATCH (x:Person) RETURN COLLECT { RETURN 'Bob' }",
    ],
)
def test_what_the_graph_does_not_hold_is_not_returned(query):
    assert lm._invented(query)


@pytest.mark.parametrize(
    "query",
    [
        *(query for query, _ in FACTS_OF),
        "MATCH (x:Person {name: 'Bob'}) WHERE x.name <> 'Eve' RETURN DISTINCT x.name AS `it's` ORDER BY x.name LIMIT 3",
        "MATCH (x:Person) RETURN EXISTS { (x)-[:DESIGNED]->({name: 'C'}) } AS held",
        "MATCH (x:Person) WITH x, count(*) AS n WHERE n > 2 AND x.name <> 'Eve' RETURN x.name, n + 1",
    ],
)
def test_what_the_graph_holds_may_be_returned(query):
    assert lm._invented(query) == ""


# The answer in its words

FACTS = [
    {"subject": "Grace Hopper", "relation": "BORN_ON", "object": "1906-12-09"},
    {"subject": "Grace Hopper", "relation": "DESIGNED", "object": "COBOL"},
]
BORN = "When was the designer of COBOL born?"


class Saying:
    """A model that says these sentences."""

    def __init__(self, *pairs):
        self.pairs = pairs

    def reply(self, messages, schema):
        from kgpipe.models.generate import Reply

        return Reply(sentences(*self.pairs), True)


@pytest.mark.parametrize(
    "said",
    [
        "Grace Hopper was born on 9 December 1906.",
        "The designer of COBOL, Grace Hopper, was born on December 9, 1906.",
        "She was born on 1906-12-09.",
    ],
)
def test_sentences_that_keep_to_what_they_cite_are_kept(said):
    assert lm.phrase(BORN, [["1906-12-09"]], FACTS, ("date of birth",), Saying((said, [1, 2]))) == (said, [])


@pytest.mark.parametrize(
    ("said", "cites", "why"),
    [
        ("Grace Hopper was born on 9 December 1906 in New York.", [1], '"New" stands in nothing that it cites'),
        ("Grace Hopper was born on 10 December 1906.", [1], '"10" stands in nothing that it cites'),
        ("Grace Hopper was born on 9 December 1906.", [], "cites nothing"),
        ("Grace Hopper was born on 9 December 1906.", [7, "1", True], "cites nothing"),
        ("Grace Hopper was not born on 9 December 1906.", [1], '"not" stands in nothing that it cites'),
        ("Visit http://evil.example for 1906-12-09.", [1], '"Visit" stands in nothing that it cites'),
        ("Grace Hopper was born on 9 December 1906.\x1b[2J", [1], "holds what cannot be printed"),
        ("This is what there is.", [1], "names nothing of what it cites"),
    ],
)
def test_sentences_that_say_more_are_dropped(said, cites, why):
    text, dropped = lm.phrase(BORN, [["1906-12-09"]], FACTS, (), Saying((said, cites)))
    assert text == ""
    assert dropped[0]["outcome"] == why


def test_sentences_that_do_not_name_every_answer_are_not_used():
    rows, facts = [["B"], ["C"]], [{"subject": x, "relation": "INFLUENCED_BY", "object": "BCPL"} for x in "BC"]
    text, dropped = lm.phrase("What did BCPL influence?", rows, facts, (), Saying(("BCPL influenced B.", [1])))
    assert (text, dropped[0]["outcome"]) == ("", "does not name C")


def test_counts_may_be_said_in_words():
    rows = [[2]]
    facts = [{"subject": "DEC", "relation": "DEVELOPED", "object": o} for o in ("VAX", "PDP-11")]
    said = "DEC developed two machines."
    assert lm.phrase("How many machines did DEC make?", rows, facts, (), Saying((said, [1, 2])))[0] == said


# Servers that misbehave


def dripping(handler):
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" ")
        time.sleep(0.1)


def huge(handler):
    handler.send_response(200)
    handler.send_header("content-length", str(50_000_000))
    handler.end_headers()
    for _ in range(50):
        handler.wfile.write(b"[" * 1_000_000)


def broken_off(handler):
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [')
    handler.close_connection = True


MISBEHAVING = {
    "slow": (lambda h: time.sleep(4), "gave no reply within 2 s"),
    "dripping": (dripping, "gave no reply within 2 s"),
    "huge": (huge, "longer than 2,000,000 bytes"),
    "not found": (lambda h: send(h, "no such model\x1b[2J", 404), "gave status 404: no such model [2J"),
    "forbidden": (lambda h: send(h, "", 401), "wants another key"),
    "refusing": (lambda h: send(h, "context too long", 400), "refuses the request (status 400: context too long)"),
    "redirecting": (lambda h: send(h, "", 302, location="http://example.com/"), "gave status 302"),
    "not a completion": (lambda h: send(h, '{"answer": 42}'), "is no chat completion"),
    "a list": (lambda h: send(h, "[]"), "is no chat completion"),
    "no text": (lambda h: send(h, '{"choices": [{"message": {"content": null}}]}'), "holds no text"),
    "waiting": (lambda h: send(h, "", 429, retry_after="9999"), "gave no reply within 2 s"),
}


@pytest.mark.parametrize("how", MISBEHAVING)
def test_a_server_that_misbehaves_leaves_the_answer_of_our_own_and_a_note(fake, store, schema, how):
    reply, said = MISBEHAVING[how]
    fake.replies = [reply]
    started = time.monotonic()
    found = ask("Who designed the Analytical Engine?", store, schema, lm=loaded(fake, seconds=2))
    assert time.monotonic() - started < 12
    assert found.text == "Charles Babbage."
    assert found.tries == ()
    assert found.notes[0].startswith("The language model was of no use: ")
    assert said in found.notes[0]
    assert "\n" not in found.notes[0]


def test_busy_failing_and_broken_replies_are_asked_for_again(fake):
    fake.replies = [
        lambda h: send(h, "", 429, retry_after="0.1"), lambda h: send(h, "{broken"), broken_off, "at last",
    ]  # fmt: skip
    assert loaded(fake).reply([{"role": "user", "content": "?"}], {}).text == "at last"
    fake.replies = [lambda h: send(h, "key sesame", 500)]
    with pytest.raises(LMError, match=r"asked 4 times without use; the last: status 500: key \*\*\*"):
        loaded(fake, key="sesame").reply([{"role": "user", "content": "?"}], {})


def test_a_server_without_response_format_is_asked_without(fake):
    fake.replies = [lambda h: send(h, "unknown field", 400), "text", "more"]
    model = loaded(fake)
    for expected in ("text", "more"):
        assert model.reply([{"role": "user", "content": "?"}], {}).text == expected
    assert ["response_format" in r for r in fake.requests] == [True, False, False]


def test_a_reply_that_broke_off_is_told_so(fake, store, schema):
    fake.replies = [lambda h: send(h, completion('{"cypher": "MATCH (x', "length")), cypher(INFLUENCE), sentences()]
    found = ask(OBSCURE, store, schema, lm=loaded(fake))
    assert found.tries[0]["outcome"] == "the reply broke off before its end"
    assert found.answers == (("B",), ("C",))


def test_the_only_model_of_a_server_needs_no_name(fake):
    fake.replies = ["text"]
    assert load_lm(fake.url).reply([{"role": "user", "content": "?"}], {}).text == "text"
    assert fake.requests[0]["model"] == "tiny"
    fake.models = ["a", "b"]
    with pytest.raises(ConfigError, match=r"has 2 models \(a, b\). Name one: --lm http://127.0.0.1:\d+/v1#MODEL"):
        load_lm(fake.url).reply([{"role": "user", "content": "?"}], {})


def test_nobody_answers():
    with pytest.raises(LMError, match="No language model answers at http://127.0.0.1:9/v1"):
        load_lm("http://127.0.0.1:9/v1#tiny").reply([{"role": "user", "content": "?"}], {})


@pytest.mark.parametrize(
    "spec",
    ["ftp://x/y", "http://", "http://u:p@h/v1", "http://h:99999999/v1", "no such/folder/here", "a b", "http://h?k=1"],
)
def test_what_names_no_model_is_refused(spec):
    with pytest.raises(ConfigError) as refused:
        load_lm(spec)
    assert "\n" not in str(refused.value)
    assert "u:p" not in str(refused.value)


# A tiny model of this machine


def tiny_model(folder, *, template=True):
    """A Llama of two layers that knows every byte and nothing else."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, set_seed

    tokens = ["<end>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>")
    if template:
        fast.chat_template = "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}[assistant] "
    fast.save_pretrained(folder)
    set_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokens), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=16_384, eos_token_id=0, bos_token_id=0,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("template", [True, False])
def test_a_local_model_replies_the_same_each_time(tmp_path, template):
    model = load_lm(str(tiny_model(tmp_path / "tiny", template=template)), device="cpu")
    messages = [{"role": "user", "content": "MATCH"}]
    first = model.reply(messages, lm.QUERY_REPLY)
    assert first == model.reply(messages, lm.QUERY_REPLY)
    assert isinstance(first.text, str)
    assert model._prompt(messages) == ("[user] MATCH\n[assistant] " if template else "MATCH\n\n")
    with pytest.raises(LMError, match=r"reads 16,384 tokens; the prompt has 20,0"):
        model.reply([{"role": "user", "content": "M" * 20_000}], lm.QUERY_REPLY)


def test_a_local_model_that_knows_nothing_leaves_the_answer_of_our_own(tmp_path, store, schema):
    model = load_lm(str(tiny_model(tmp_path / "tiny")), device="cpu", seconds=60)
    found = ask("Who designed the Analytical Engine?", store, schema, lm=model)
    assert found.text == "Charles Babbage."
    assert found.notes[0].startswith("The language model was of no use: ")


def test_a_folder_that_holds_no_model_is_one_line(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="is no causal language model that can be loaded") as refused:
        load_lm(str(tmp_path))
    assert "\n" not in str(refused.value)


# The command line


@pytest.fixture
def run(store, neo4j, tmp_path, monkeypatch):
    monkeypatch.setenv("NEO4J_PASSWORD", neo4j.password)
    monkeypatch.setenv("KGPIPE_LM_KEY", "sesame")
    workspace = pipeline.Workspace(tmp_path / "workspace")
    pipeline.prepare(workspace, [], schema="computing")
    where = ["--workspace", str(workspace.path), "--neo4j", neo4j.uri]
    return lambda *arguments: CliRunner().invoke(cli.app, ["ask", *arguments, *where])


def test_ask_with_a_language_model(run, fake):
    fake.replies = [cypher(INFLUENCE), sentences(("B and C are languages influenced by BCPL.", [1, 2]))]
    result = run(OBSCURE, "--lm", fake.url + "#tiny", "-v")
    assert result.exit_code == 0, result.output
    shown = result.stdout.splitlines()
    assert shown[0] == "B and C are languages influenced by BCPL."
    assert shown[1].startswith("  (understood as: a query that the language model wrote: MATCH")
    assert '  "B influenced by BCPL."' in shown
    assert "confidence 0.5" in shown
    assert f"  the language model wrote: {INFLUENCE}" in shown
    assert fake.requests[0]["authorization"] == "Bearer sesame"
    assert "sesame" not in result.output
    fake.replies = [cypher(INFLUENCE), sentences()]
    found = json.loads(run(OBSCURE, "--lm", fake.url, "--json").stdout)
    assert [t["outcome"] for t in found["tries"]] == ["2 rows", "no sentences in the reply"]


def test_ask_with_a_wrong_name_for_a_language_model(run):
    assert isinstance(run("Who?", "--lm", "no model").exception, ConfigError)


# Graphs of others; last, because they take the place of the small graph


@pytest.fixture
def shop(graph, tmp_path):
    with Store(graph.uri, graph.user, graph.password) as opened:
        opened.write(SHOP)
        made = PropertyGraph(opened, values_file=tmp_path / "values.sqlite")
        yield made
        made.close()


def test_a_graph_of_others(fake, shop):
    before = fingerprint(shop.store)
    question = "Whose wares went out the door with Butter in the same basket?"
    other = "MATCH (:Product {name: $v0})<-[:CONTAINS]-(:Order)-[:CONTAINS]->(:Product)<-[:SUPPLIES]-(s:Supplier) RETURN s.name"
    fake.replies = [cypher(other), sentences(("The supplier is Lindqvist & Sons.", [1]))]
    found = shop.ask(question, lm=loaded(fake), threshold=0.99)
    assert (found.answers, found.params) == ((("Lindqvist & Sons",),), {"v0": "Butter"})
    assert found.text == "The supplier is Lindqvist & Sons."
    told = json.loads(fake.prompts()[0].partition("\n\n")[2])
    assert told["labels"]["Product"]["properties"] == {"kind": "text", "name": "text", "price": "number"}
    assert [r["pattern"] for r in told["relationships"]] == [
        "(:`Order`)-[:`CONTAINS`]->(:`Product`)", "(:`Supplier`)-[:`SUPPLIES`]->(:`Product`)",
    ]  # fmt: skip
    fake.replies = [cypher("MATCH (p:Product {name: 'Butter'}) RETURN p.price"), sentences()]
    agreed = shop.ask("What is the price of butter?", lm=loaded(fake))
    assert (agreed.answers, agreed.notes) == (((2,),), ())
    assert fingerprint(shop.store) == before
