"""Hostile files cost a named failure each: nothing crashes, hangs, or is lost without a word."""

import importlib.util
import os
import random
import time
from pathlib import Path

import pytest

from kgpipe.config import Config
from kgpipe.corpus import isolate
from kgpipe.corpus.document import Reading
from kgpipe.corpus.raw import Limits


@pytest.fixture(scope="module")
def hostile():
    path = Path(__file__).parents[2] / "benchmarks" / "hostile.py"
    spec = importlib.util.spec_from_file_location("hostile", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_every_hostile_file_is_a_document_or_a_named_failure(hostile, tmp_path):
    made = hostile.make(tmp_path / "files", 100, random.Random(1), megabytes=30)
    config = Config(max_failed=1.0, max_bytes=2_000_000, max_unpacked=20_000_000, read_seconds=3, read_memory_mb=600)
    found = hostile.measure(tmp_path / "files", tmp_path / "ws", config)
    assert found["files"] >= len(made) - 20 > 80  # some vanish before they are listed
    assert found["neither"] == []
    assert found["with documents"] > 20 and found["named failures"] > 20
    assert found["peak MB of the reading process"] < 1500


def texts(reader, path, **limits):
    reading = Reading(limits=Limits(max_bytes=10_000_000))
    return list(reader.texts(path, source=path.as_uri(), reading=reading, **limits))


def test_a_reader_that_hangs_crashes_or_eats_memory_is_replaced(tmp_path):
    good, deep = tmp_path / "good.txt", tmp_path / "slow.txt"
    good.write_text("Ada wrote notes.")
    deep.write_text("a@" * 4_000_000)
    reader = isolate.Reader()
    try:
        (answer,) = texts(reader, good)
        assert answer["document"]["text"] == "Ada wrote notes."
        worker = reader.process.pid
        (answer,) = texts(reader, deep, seconds=0.05)
        assert answer["failure"]["reason"] == "took longer than 0.05 s; raise read_seconds in kgpipe.toml"
        (answer,) = texts(reader, good)
        assert answer["document"]["text"] == "Ada wrote notes." and reader.process.pid != worker
        (answer,) = texts(reader, deep, memory_mb=10)
        assert "more memory than" in answer["failure"]["reason"]
        os.kill(texts(reader, good) and reader.process.pid, 9)
        time.sleep(0.2)
        (answer,) = texts(reader, good)
        assert answer["document"]["title"] == "good"
    finally:
        reader.close()
