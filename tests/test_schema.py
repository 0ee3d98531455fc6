import json

import jsonschema
import pytest
import yaml

from kgpipe import schema
from kgpipe.errors import SchemaError

TEXT = """name: demo
entities:
  Person: {label: person}
  Organization:
  Company: {is: Organization}
  Date: {literal: date}
relations:
  FOUNDED: {label: founded, domain: [Person], range: [Organization], inverse: FOUNDED_BY}
  BORN_ON: {domain: [Person], range: [Date], functional: true}
"""


def test_a_schema_knows_parents_literals_and_what_fits():
    demo = schema.parse(TEXT)
    assert demo.ancestors("Company") == ("Company", "Organization")
    assert demo.family("Company") == "Organization"
    assert demo.fits("Company", demo.relations["FOUNDED"].range)
    assert not demo.fits("Person", demo.relations["FOUNDED"].range)
    assert demo.literal_types() == {"date": "Date"}
    assert demo.relations["BORN_ON"].label == "born on"
    assert schema.from_json(demo.to_json()) == demo


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        (
            "domain: [Person], range: [Org",
            "domain: [Persn], range: [Org",
            ['"Persn"', "line 8", 'Did you mean "Person"'],
        ),
        ("is: Organization", "is: Firm", ['"Firm"', "line 5", "known: Person"]),
        ("literal: date", "literal: day", ['"day"', "line 6", "date, number, text"]),
        ("functional: true", "functional: maybe", ['"maybe"', "line 9", "true, false"]),
        ("  Person:", "  Document:", ['"Document"', "line 3", "NamedDocument"]),
        ("  Person:", "  The Person:", ['"The Person"', "line 3", "ASCII letters"]),
        ("label: founded", "lable: founded", ['"lable"', "line 8", "known: description"]),
        ("  Organization:\n", "  Organization:\n  Person: {}\n", ['"Person"', "line 5", "twice"]),
        ("name: demo", "name: [demo", ["line", "not YAML"]),
    ],
)
def test_a_wrong_schema_names_line_and_fix(old, new, parts):
    assert old in TEXT
    with pytest.raises(SchemaError) as caught:
        schema.parse(TEXT.replace(old, new, 1), where="demo.yaml")
    for part in ["demo.yaml", *parts]:
        assert part in str(caught.value)


def test_an_unknown_schema_names_the_known_ones():
    with pytest.raises(SchemaError, match="known:"):
        schema.load("computting")


def test_the_json_schema_accepts_what_the_parser_accepts():
    jsonschema.validate(yaml.safe_load(TEXT), schema.json_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(TEXT.replace("label: founded", "lable: founded")), schema.json_schema())
    json.dumps(schema.json_schema())


def test_the_json_schema_beside_the_schemas_is_the_one_the_code_makes():
    assert json.loads((schema.BUNDLED / "schema.json").read_text(encoding="utf-8")) == schema.json_schema()


@pytest.mark.parametrize("name", schema.names())
def test_the_schemas_that_come_with_kgpipe_are_good(name):
    found = schema.load(name)
    assert len(found.entities) >= 12 and len(found.relations) >= 20
