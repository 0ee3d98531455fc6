"""Settings: what is in force, where it came from, and that the documentation knows each of them."""

import json
import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from kgpipe import cli, config
from kgpipe.corpus.clean import DROPS
from kgpipe.corpus.personal import FINDERS
from kgpipe.corpus.quality import FILTERS
from kgpipe.errors import ConfigError

ROOT = Path(__file__).parents[1]


def rows():
    """{setting: (default, example, variable)} of the table in the documentation."""
    found = {}
    for line in (ROOT / "docs" / "settings.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            found[cells[0]] = cells[1:4]
    return found


def test_every_setting_is_in_the_table_with_its_default_a_valid_example_and_its_variable(tmp_path, monkeypatch):
    variables = {name: key for key, name in config.ENVIRONMENT.items()}
    for key in variables.values():
        monkeypatch.delenv(key, raising=False)
    table = rows()
    assert list(table) == [f.name for f in fields(config.Config)]
    for one in fields(config.Config):
        default, example, variable = table[one.name]
        shown = str(one.default) if isinstance(one.default, Path) else one.default
        assert json.loads(default.replace("_", "") if default[0].isdigit() else default) == (
            list(shown) if isinstance(shown, tuple) else shown
        )
        assert variable == variables.get(one.name, "")
        (tmp_path / "kgpipe.toml").write_text(f"{one.name} = {example}")
        assert getattr(config.load(folder=tmp_path), one.name) != one.default


def test_the_choices_are_those_of_the_code():
    allowed = {"drop": DROPS, "quality": tuple(FILTERS)}
    assert {name: config.CHOICES[name] for name in allowed} == allowed
    assert set(config.CHOICES["mask"]) == set(FINDERS)


def test_where_a_setting_came_from_is_told_and_passwords_are_not(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEO4J_PASSWORD", "secret-word")
    monkeypatch.setenv("KGPIPE_DEVICE", "cpu")
    (tmp_path / "kgpipe.toml").write_text('device = "cuda"\nmask = ["email"]\nmin_words = 5\n')
    cli.app(["config", "--json", "--workspace", "here"], standalone_mode=False)
    printed = capsys.readouterr().out
    found = {row["name"]: (row["value"], row["source"]) for row in json.loads(printed)}
    assert "secret-word" not in printed
    assert found["neo4j_password"] == ("(set)", "NEO4J_PASSWORD")
    assert found["device"] == ("cpu", "KGPIPE_DEVICE")
    assert found["mask"] == (["email"], str(tmp_path / "kgpipe.toml"))
    assert found["workspace"] == ("here", "option --workspace")
    assert found["pool"] == ("gpu", "default")
    cli.app(["config"], standalone_mode=False)
    assert re.search(r"min_words +5 +.*kgpipe.toml", capsys.readouterr().out)


def test_a_password_may_come_from_a_file(tmp_path, monkeypatch):
    monkeypatch.setenv("NEO4J_PASSWORD_FILE", str(tmp_path / "secret"))
    with pytest.raises(ConfigError, match="NEO4J_PASSWORD_FILE names .*secret, which cannot be read"):
        config.load(folder=tmp_path)
    (tmp_path / "secret").write_text("from a file\n")
    assert config.load(folder=tmp_path).neo4j_password == "from a file"
    monkeypatch.setenv("NEO4J_PASSWORD", "from a variable")
    assert config.load(folder=tmp_path).neo4j_password == "from a variable"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("min_wods = 3", 'Unknown setting "min_wods" in .*Did you mean "min_words"'),
        ('mask = ["emails"]', 'Setting "mask" holds "emails"; allowed: email, phone, card, identity, ip'),
        ('languages = "en"', "Setting \"languages\" is 'en'; expected a list of names, like \\['en'\\]"),
        ('max_bytes = "many"', "Setting \"max_bytes\" is 'many'; expected a int"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(tmp_path, line, message):
    (tmp_path / "kgpipe.toml").write_text(line)
    with pytest.raises(ConfigError, match=message):
        config.load(folder=tmp_path)


DAG = '[[dag]]\nname = "news"\nfolder = "/in/*.pdf"\nworkspace = "/graphs/news"\n'


def test_a_dag_table_gives_its_settings_and_the_documentation_has_them_all(tmp_path):
    assert config.dags(tmp_path) == []
    (tmp_path / "kgpipe.toml").write_text(f'group = 3\n{DAG}schedule = "@daily"\nshards = 4\n')
    assert config.dags(tmp_path) == [config.Dag("news", "/in/*.pdf", "/graphs/news", schedule="@daily", shards=4)]
    assert config.load(folder=tmp_path).group == 3
    lines = (ROOT / "docs" / "airflow.md").read_text(encoding="utf-8").splitlines()
    table = [[cell.strip().strip("`") for cell in line.split("|")[1:3]] for line in lines if line.startswith("| `")]
    defaults = {f.name: "needed" if f.default is MISSING else json.dumps(f.default) for f in fields(config.Dag)}
    assert dict(table) == defaults


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('[dag]\nname = "a"\n', "write each under \\[\\[dag\\]\\]"),
        (DAG.replace("folder", "folders"), 'has the unknown key "folders"; known: name, folder'),
        ('[[dag]]\nname = "a"\nfolder = "/in"\n', 'has no "workspace"'),
        (DAG.replace("/in/", "in/"), '"folder" of .* is "in/\\*.pdf"; give an absolute path'),
        (DAG + "shards = 0\n", '"shards" of .* is 0; allowed: 1 to 1023'),
        (DAG + "shards = true\n", '"shards" of .* is True; expected a int'),
        (DAG + DAG.replace('"news"', '"other"'), 'number 2 of .* the workspace of "news"'),
        (DAG.replace('"news"', '"my news"'), '"name" of .* is "my news"; allowed'),
    ],
)
def test_a_wrong_dag_table_is_named(tmp_path, lines, message):
    (tmp_path / "kgpipe.toml").write_text(lines)
    with pytest.raises(ConfigError, match=message):
        config.dags(tmp_path)
