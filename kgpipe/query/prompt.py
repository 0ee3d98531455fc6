"""The prompt of `kgpipe ask`: lines from a terminal, with history and completion of names."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

from kgpipe.errors import KgpipeError

PROMPT = "? "
LONGEST_HISTORY = 1_000
"""Lines of the history that are kept."""
MOST_WORDS = 6
"""Words of the longest beginning of a name that is completed."""

_log = logging.getLogger(__name__)


def terminal(names: Callable[[str], list[str]], history: Path) -> Iterator[str]:
    """Lines typed at the prompt, until its end (Ctrl-D); Ctrl-C gives up the line. The file keeps them for the next time."""
    with _editing(names, history):
        while True:
            try:
                yield input(PROMPT)
            except KeyboardInterrupt:
                print()
            except EOFError:
                print()
                return


@contextlib.contextmanager
def _editing(names: Callable[[str], list[str]], history: Path) -> Iterator[None]:
    """Line editing with history and the Tab key, where the system has readline; plain lines elsewhere."""
    try:
        import readline
    except ImportError:  # Windows
        yield
        return
    history.parent.mkdir(parents=True, exist_ok=True)
    try:
        readline.read_history_file(history)
    except FileNotFoundError:
        pass
    except OSError as error:
        _log.warning("the history %s cannot be read and begins anew: %s", history, error)
    found: list[str] = []

    def complete(line: str, state: int) -> str | None:
        if state == 0:
            found[:] = completions(line, names)
        return found[state] if state < len(found) else None

    readline.set_completer(complete)
    readline.set_completer_delims("")
    libedit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if libedit else "tab: complete")
    readline.set_auto_history(True)
    try:
        yield
    finally:
        readline.set_completer(None)
        readline.set_history_length(LONGEST_HISTORY)
        readline.write_history_file(history)
        history.chmod(0o600)


def completions(line: str, names: Callable[[str], list[str]]) -> list[str]:
    """The line with the longest beginning of a name at its end completed, in every way there is."""
    starts = [0, *(i + 1 for i, c in enumerate(line) if c in " \"'(")][-MOST_WORDS:]
    for start in starts:
        begun = line[start:]
        if len(begun.strip()) < 2:
            continue
        try:
            found = names(begun)
        except KgpipeError as error:  # a server that is gone says so when the question is asked
            _log.debug("no completion: %s", error)
            return []
        if found:
            return [line[:start] + name for name in found]
    return []
