"""Reading files in a process of its own, with limits of time and memory: a hostile file costs one failure."""

from __future__ import annotations

import atexit
import functools
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from kgpipe.corpus.document import Reading
from kgpipe.errors import KgpipeError
from kgpipe.records import Failure, as_row

_START_SECONDS = 120


class Reader:
    """A worker process, started when the first file comes and again after one that it did not survive."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.buffer = bytearray()

    def texts(
        self, path: Path, *, source: str, reading: Reading, shard: tuple[int, int] = (0, 1), done: tuple[str, ...] = (),
        seconds: float = 60, memory_mb: int = 2000,
    ) -> Iterator[dict[str, Any]]:  # fmt: skip
        """The texts of a file, as {"document": row}, {"removed": row}, {"failure": row}, or {"kept": uid} for those in
        `done` and {"other": uid} for those of another shard.

        `seconds` bounds the processor time to each text (by the clock ten times as long, for other programs take
        theirs), `memory_mb` what the worker takes. What the worker does not survive is a failure of the file, after the
        texts that it gave.
        """
        request = {
            "path": os.fsencode(path).hex(), "source": source, "reading": asdict(reading), "shard": shard,
            "done": sorted(done), "memory_mb": memory_mb, "seconds": seconds,
        }  # fmt: skip
        process = self._started()
        try:
            assert process.stdin is not None
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            while True:
                answer = self._line(seconds)
                if answer is None:
                    self.close()
                    yield _failure(
                        source, f"took longer than {seconds:g} s; raise read_seconds in kgpipe.toml", "Timeout"
                    )
                    return
                if "end" not in answer:
                    yield answer
                    continue
                if answer.get("failed"):
                    reason = f"needs more memory than {memory_mb:,} MB; raise read_memory_mb in kgpipe.toml"
                    yield _failure(source, reason, "MemoryError")
                if answer["retire"]:
                    self.close()
                return
        except (EOFError, BrokenPipeError):
            code = process.wait()
            self.close()
            name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            yield _failure(source, f"its reader crashed ({name}): the file is damaged or hostile", name)
        except BaseException:  # the caller stops in the middle of a file: what is still to come is for nobody
            self.close()
            raise

    def close(self) -> None:
        """Ends the worker."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe is not None:
                    try:
                        pipe.close()
                    except BrokenPipeError:
                        continue  # what it was to be told does not matter any more
        self.process, self.buffer = None, bytearray()

    def _started(self) -> subprocess.Popen[bytes]:
        if self.process is not None and self.process.poll() is None:
            return self.process
        self.close()
        with tempfile.TemporaryFile() as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "kgpipe.corpus.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=errors, env={**os.environ, "MALLOC_ARENA_MAX": "2", "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
            try:
                if self._line(_START_SECONDS) is not None:
                    return self.process
            except EOFError:
                pass  # what it said before it ended is told below
            self.close()
            errors.seek(0)
            said = errors.read().decode("utf-8", "replace").strip().splitlines()[-1:]
        raise KgpipeError(
            f"The process that reads files cannot be started with {sys.executable}: {''.join(said)}. Check the installation."
        )

    def _line(self, seconds: float) -> dict[str, Any] | None:
        """The next answer; None when it does not come in time, EOFError when the worker has ended."""
        assert self.process is not None and self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            searched = 0
            started, used = time.monotonic(), self._processor_seconds()
            while (end := self.buffer.find(b"\n", searched)) < 0:
                searched = len(self.buffer)
                if not selector.select(min(seconds, 1)):
                    if time.monotonic() - started > 10 * seconds or self._processor_seconds() - used > seconds:
                        return None
                    continue
                data = os.read(self.process.stdout.fileno(), 2**20)
                if not data:
                    raise EOFError
                self.buffer += data
        line = bytes(self.buffer[:end])
        del self.buffer[: end + 1]
        return json.loads(line)

    def _processor_seconds(self) -> float:
        """What the worker has used so far."""
        assert self.process is not None
        try:
            times = psutil.Process(self.process.pid).cpu_times()
        except psutil.Error:
            return 0.0  # it has ended, which its pipe tells
        return times.user + times.system


@functools.lru_cache(maxsize=1)
def reader() -> Reader:
    """The reader of this process; its worker ends with it."""
    made = Reader()
    atexit.register(made.close)
    return made


def _failure(source: str, reason: str, exception: str) -> dict[str, Any]:
    return {"failure": as_row(Failure("read", source, reason, exception))}
