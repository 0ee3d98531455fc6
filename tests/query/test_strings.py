"""Random strings as questions, over a graph with hostile names and texts: each is answered or refused in one line."""

import json
import os
import random

import pytest

from kgpipe.errors import KgpipeError
from kgpipe.models.embed import load_embedder
from kgpipe.query import answer
from kgpipe.query.retrieve import Passages

N_STRINGS = int(os.environ.get("STRINGS") or (1000 if os.environ.get("CI") else 200))


@pytest.mark.slow
def test_no_string_ends_in_a_traceback(attacked, schema):
    random_ = random.Random(5)
    pieces = [*"¿?!.,'\"`\\/(){}[]<>*:;|&~^$%#@-+=", "\u202e", "\u200b", "\ud800", "\x00", "\n", "\t", "🦜", "图灵", "如何",
              "القاهرة", "who", "How many", "designed", "Unix", "Ken", "Thompson", "born", "C", "C++", "and", "not", "before",
              "1957", "12/12/1957", "most", "AND", "OR NOT", "TO", "[a TO b]", "9" * 40, "founded by", "the", "of", "$n0",
              "MATCH (n)", "DETACH DELETE", "';--"]  # fmt: skip
    pieces += [chr(c) for c in random_.sample(range(0x80, 0x3000), 40)]
    passages = Passages(attacked, load_embedder())
    for _ in range(N_STRINGS):
        question = random_.choice(("", " ")).join(random_.choices(pieces, k=random_.randint(1, 14)))
        try:
            found = answer.ask(question, attacked, schema, passages=passages)
        except KgpipeError as error:
            assert str(error) and "\n" not in str(error)
        else:
            assert found.text and json.dumps(found.to_json())
