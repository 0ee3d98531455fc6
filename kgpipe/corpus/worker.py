"""The process that reads untrusted files: `python -m kgpipe.corpus.worker`, driven by isolate.py over its pipes.

A request is a line of JSON; the answer is a line for each text and one that says the file is done. A parser that
crashes, hangs or wants too much memory takes this process with it and nothing else.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

from kgpipe.corpus.document import Reading, document, without_personal
from kgpipe.corpus.formats import read_file
from kgpipe.corpus.raw import Raw
from kgpipe.engine import in_shard
from kgpipe.records import Document, Failure, as_row, content_id


def main() -> None:
    """Answers requests until its input ends."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints must not come between the answers
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ready = _address_space()

    def send(answer: dict[str, Any]) -> None:
        out.write(json.dumps(answer) + "\n")
        out.flush()

    send({"ready": True})
    for line in sys.stdin:
        request = json.loads(line)
        limit = request["memory_mb"] * 2**20
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (ready + limit, hard))
        try:
            _allow(request["seconds"])
            for answer in _answers(request):
                send(answer)
                _allow(request["seconds"])
            # one that has grown is replaced, so that every file has the whole of the memory allowed
            send({"end": True, "retire": _address_space() - ready > limit // 2})
        except MemoryError:
            send({"end": True, "retire": True, "failed": "memory"})


def _answers(request: dict[str, Any]):
    reading = Reading.from_json(request["reading"])
    done, shard = set(request["done"]), tuple(request["shard"])
    for item in read_file(
        Path(os.fsdecode(bytes.fromhex(request["path"]))), max_bytes=reading.limits.max_bytes, limits=reading.limits
    ):
        key = item.key if isinstance(item, Failure) else item.uri
        uid = content_id("document", key)
        if not in_shard(uid, shard):
            yield {"other": uid}
        elif uid in done and not isinstance(item, Failure):
            yield {"kept": uid}
        else:
            made = document(item, source=request["source"], settings=reading) if isinstance(item, Raw) else item
            made = without_personal(made, reading) if not isinstance(made, Document) else made
            kind = "failure" if isinstance(made, Failure) else "document" if isinstance(made, Document) else "removed"
            row = as_row(made)
            yield {kind: row | {"source": request["source"]} if kind == "removed" else row}


def _allow(seconds: float) -> None:
    """Ends this process when the next text takes much longer: the one that watches it may have been killed."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(time.process_time() + 2 * seconds) + 10
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _address_space() -> int:
    """Bytes of address space in use, 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 2**30


if __name__ == "__main__":
    main()
