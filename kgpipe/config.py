"""One Config, read from defaults, kgpipe.toml, the environment and options, in that order."""

from __future__ import annotations

import dataclasses
import difflib
import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kgpipe.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting of kgpipe; `load` fills it."""

    workspace: Path = Path(".kgpipe")
    schema: str = ""
    """Schema file or name; empty: the one the workspace was built with, `general` for a new one."""
    neo4j: str = ""
    """Bolt address of a server of the user's; empty: our own local one."""
    neo4j_user: str = "neo4j"
    neo4j_password: str = ""
    neo4j_home: str = ""
    """A Neo4j folder of the user's, whose jars our local server runs instead of fetching them."""
    neo4j_browser: str = ""
    """Address of Neo4j Browser in links; empty: our own server's, or port 7474 of the host of yours."""
    checkpoint: str = ""
    """Folder of an extractor checkpoint; empty: the shipped one."""
    threshold: float = 0.0
    """Least score of a relation; 0: the checkpoint's own threshold."""
    precision: float = 0.0
    """Share of the relations that is to be right; the threshold that held-out data supports for it is used."""
    device: str = ""
    """cpu, cuda or cuda:N; empty: cuda when there is one."""
    languages: tuple[str, ...] = ("en",)
    """Languages the extractor may read."""
    max_failed: float = 0.5
    """Share of documents that may fail before a run stops."""
    max_bytes: int = 100_000_000
    """Largest document that is read, before and after unpacking."""
    max_unpacked: int = 10_000_000_000
    """Bytes of all texts in one file of many: JSON Lines, Parquet, dump or archive."""
    read_seconds: float = 60.0
    """Processor seconds in which a file must give its next text; by the clock ten times as many."""
    read_memory_mb: int = 2000
    """Memory that reading one file may take."""
    text_column: str = "text"
    """Column of the text in CSV, Parquet and JSON Lines; `*`: each row in words."""
    metadata_columns: tuple[str, ...] = ()
    """Columns kept as metadata; empty: all others."""
    drop: tuple[str, ...] = ("boilerplate", "repeated")
    """What cleaning takes out of documents."""
    quality: tuple[str, ...] = ("symbols", "repetition", "words", "placeholder")
    """Filters that keep documents out; empty: none."""
    min_words: int = 0
    """Least words of a document."""
    mask: tuple[str, ...] = ()
    """Personal data masked before anything is stored: email, phone, card, identity, ip."""
    phone_region: str = "US"
    """Country of phone numbers written without a country code."""
    skip: tuple[str, ...] = ("code", "references")
    """Marked stretches that are not extracted from."""
    near_duplicate: float = 0.8
    """Jaccard similarity from which a document is a near-duplicate; 0: exact ones only."""
    group: int = 256
    """Passages in one commit of the extraction."""
    lm: str = ""
    """Language model that `ask` consults: URL#MODEL of a server, a folder or a hub name; empty: none."""
    lm_key: str = ""
    """API key of that server."""
    lm_seconds: float = 60.0
    """Time in which each of its replies must be there."""
    decisions: str = ""
    """YAML file of must-link and cannot-link decisions."""
    pool: str = "gpu"
    """Airflow pool of the extraction tasks."""
    python: str = ""
    """Interpreter that Airflow tasks run kgpipe with; empty: Airflow's own."""


CHOICES = {
    "drop": ("boilerplate", "repeated"),
    "quality": ("symbols", "repetition", "words", "placeholder"),
    "mask": ("email", "phone", "card", "identity", "ip"),
    "skip": ("code", "references"),
}
"""What the settings that are lists of names may hold."""

ENVIRONMENT = {
    "KGPIPE_WORKSPACE": "workspace",
    "KGPIPE_NEO4J_HOME": "neo4j_home",
    "KGPIPE_NEO4J_BROWSER": "neo4j_browser",
    "KGPIPE_DEVICE": "device",
    "KGPIPE_PYTHON": "python",
    "KGPIPE_LM": "lm",
    "KGPIPE_LM_KEY": "lm_key",
    "NEO4J_URI": "neo4j",
    "NEO4J_USERNAME": "neo4j_user",
    "NEO4J_PASSWORD": "neo4j_password",
}
"""Variables of the environment and the settings they give."""

SECRET_FILES = {"NEO4J_PASSWORD_FILE": "neo4j_password", "KGPIPE_LM_KEY_FILE": "lm_key"}
"""Variables that name a file with the value, as containers get their secrets; line ends at its end do not count."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting in force: its value, where that came from, and what it would be without."""

    name: str
    value: Any
    source: str
    default: Any


@dataclass(frozen=True, slots=True)
class Dag:
    """One `[[dag]]` table of kgpipe.toml: what an Airflow DAG builds, where and when; `dags` reads them."""

    name: str
    folder: str
    """Folder, file or pattern (`/srv/in/**/*.pdf`) of documents: an absolute path."""
    workspace: str
    """Folder of the workspace: an absolute path, of this DAG alone."""
    schema: str = ""
    neo4j: str = ""
    """Bolt address or the id of an Airflow connection; empty: our own server."""
    schedule: str = ""
    """Cron expression or preset (`@daily`); empty: by hand only."""
    pool: str = ""
    """Airflow pool of the extraction tasks; empty: the setting `pool`."""
    shards: int = 1
    prune: bool = False
    """Remove documents whose files are gone."""
    retries: int = 2
    retry_seconds: int = 30
    """Wait before the first retry; each later one waits twice as long, half an hour at most."""
    timeout_hours: float = 24.0
    """Longest time of one task."""


SECRETS = ("neo4j_password", "lm_key")
"""Settings whose values are never printed."""


def load(*, folder: Path | None = None, **options: Any) -> Config:
    """The configuration in force: options given (not None) over environment over FOLDER/kgpipe.toml."""
    return Config(**{name: value for name, (value, _) in _given(folder, options).items()})


def explain(*, folder: Path | None = None, **options: Any) -> list[Setting]:
    """Every setting with its value and where it came from: an option, a variable, kgpipe.toml or the default."""
    given = _given(folder, options)
    found = []
    for one in dataclasses.fields(Config):
        value, source = given.get(one.name, (one.default, "default"))
        found.append(Setting(one.name, value, source, one.default))
    return found


def dags(folder: Path) -> list[Dag]:
    """The `[[dag]]` tables of FOLDER/kgpipe.toml; ConfigError for one that is incomplete, wrong or doubled."""
    path = folder / "kgpipe.toml"
    tables = _toml(path).get("dag", []) if path.is_file() else []
    if not isinstance(tables, list):
        raise ConfigError(f"`dag` in {path} is one table; write each under [[dag]] with two brackets.")
    known = {f.name: f for f in dataclasses.fields(Dag)}
    found: list[Dag] = []
    for number, table in enumerate(tables, 1):
        where = f"[[dag]] number {number} of {path}"
        if not isinstance(table, dict):
            raise ConfigError(f"{where} is {table!r}; expected a table under [[dag]].")
        if unknown := sorted(set(table) - set(known)):
            raise ConfigError(f'{where} has the unknown key "{unknown[0]}"; known: {", ".join(known)}.')
        if absent := [key for key in ("name", "folder", "workspace") if not table.get(key)]:
            raise ConfigError(f'{where} has no "{absent[0]}"; it needs name, folder and workspace.')
        for key, value in table.items():
            kinds = {"int": (int,), "float": (int, float), "bool": (bool,), "str": (str,)}[str(known[key].type)]
            if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
                raise ConfigError(f'"{key}" of {where} is {value!r}; expected a {known[key].type}.')
        one = Dag(**table)
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,200}", one.name):
            raise ConfigError(f'"name" of {where} is "{one.name}"; allowed: letters, digits, "_", "-" and ".".')
        for key in ("folder", "workspace"):
            if not table[key].startswith("/"):
                raise ConfigError(f'"{key}" of {where} is "{table[key]}"; give an absolute path.')
        if not 1 <= one.shards <= 1023:
            raise ConfigError(f'"shards" of {where} is {one.shards}; allowed: 1 to 1023.')
        if one.retries < 0 or one.retry_seconds < 1 or one.timeout_hours <= 0:
            raise ConfigError(f"{where}: retries must be 0 or more, retry_seconds and timeout_hours above 0.")
        for other in found:
            if one.name == other.name or os.path.normpath(one.workspace) == os.path.normpath(other.workspace):
                raise ConfigError(f'{where} has the name or the workspace of "{other.name}"; each DAG needs its own.')
        found.append(one)
    return found


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}. Correct the syntax.") from error


def _given(folder: Path | None, options: dict[str, Any]) -> dict[str, tuple[Any, str]]:
    """{setting: (checked value, where it came from)} of those that are set anywhere."""
    path = (folder or Path.cwd()) / "kgpipe.toml"
    values: dict[str, tuple[Any, str]] = {}
    if path.is_file():
        read = _toml(path)
        read.pop("dag", None)  # `dags` reads those tables
        values = {name: (value, str(path)) for name, value in read.items()}
    values |= {name: (_secret(key), key) for key, name in SECRET_FILES.items() if os.environ.get(key)}
    values |= {name: (os.environ[key], key) for key, name in ENVIRONMENT.items() if os.environ.get(key)}
    values |= {
        name: (value, f"option --{name.replace('_', '-')}") for name, value in options.items() if value is not None
    }
    return {name: (_checked(name, value, path), source) for name, (value, source) in values.items()}


def _secret(variable: str) -> str:
    path = Path(os.environ[variable])
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{variable} names {path}, which cannot be read: {error}. Give a text file.") from error


def _checked(key: str, value: Any, path: Path) -> Any:
    """The value in the type of its setting; ConfigError when it has none or is not allowed."""
    known = {f.name: f for f in dataclasses.fields(Config)}
    if key not in known:
        near = difflib.get_close_matches(key, known, n=1)
        hint = f' Did you mean "{near[0]}"?' if near else ""
        raise ConfigError(f'Unknown setting "{key}" in {path}; known: {", ".join(known)}. Correct the spelling.{hint}')
    default = known[key].default
    try:
        if isinstance(default, tuple):
            if isinstance(value, str):
                raise TypeError(value)
            value = tuple(map(str, value))
        else:
            value = Path(value) if isinstance(default, Path) else type(default)(value)
    except (TypeError, ValueError) as error:
        expected = "list of names" if isinstance(default, tuple) else type(default).__name__
        example = list(default) if isinstance(default, tuple) else default
        raise ConfigError(f'Setting "{key}" is {value!r}; expected a {expected}, like {example!r}.') from error
    for one in value if key in CHOICES else ():
        if one not in CHOICES[key]:
            raise ConfigError(
                f'Setting "{key}" holds "{one}"; allowed: {", ".join(CHOICES[key])}. Correct it or leave it out.'
            )
    return value


def cache_folder() -> Path:
    """The user's cache folder for what kgpipe fetches (XDG_CACHE_HOME, else ~/.cache)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kgpipe"
