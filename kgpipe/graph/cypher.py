"""Every Cypher text of the loader. Labels and types come from the schema, in backticks; values are parameters."""

from __future__ import annotations

from collections.abc import Iterable

from kgpipe.graph.store import ENTITY_INDEX, PASSAGE_INDEX, quoted
from kgpipe.schema import Schema

MARKER = "KgpipeWorkspace"
"""Label of the node that says to which workspace a database belongs and what was loaded, and of those of writers."""
NODES = ("Document", "Passage", "Evidence", "Entity", "Literal")

OWNER = f"""
OPTIONAL MATCH (m:{MARKER} {{name: 'kgpipe'}})
RETURN m.uid AS workspace, m.fingerprint AS fingerprint, m.nodes AS nodes, m.relationships AS relationships,
       COUNT {{ () }} AS nodes_now, COUNT {{ ()-->() }} AS relationships_now"""
CLAIM = f"MERGE (m:{MARKER} {{name: 'kgpipe'}}) ON CREATE SET m.uid = $workspace RETURN m.uid AS workspace"
BEGIN = f"""
OPTIONAL MATCH (m:{MARKER} {{name: 'kgpipe'}}) SET m.fingerprint = '', m.schema = $schema
WITH count(*) AS done UNWIND $known AS name
OPTIONAL MATCH (w:{MARKER} {{name: name}}) DELETE w
WITH count(*) AS done UNWIND $names AS name
CREATE (:{MARKER} {{name: name, load: $load, batch: 0}})"""
FINISH = f"""
UNWIND $known AS name
OPTIONAL MATCH (w:{MARKER} {{name: name}}) DELETE w
WITH count(*) AS done
MATCH (m:{MARKER} {{name: 'kgpipe'}})
SET m.fingerprint = $fingerprint, m.nodes = COUNT {{ () }}, m.relationships = COUNT {{ ()-->() }}"""

END_EARLIER = """
SHOW TRANSACTIONS YIELD transactionId AS found, metaData WHERE metaData.kgpipe = 'write'
TERMINATE TRANSACTIONS found YIELD message RETURN found, message"""
"""Ends what an earlier load has left open: the server may not know yet that its client is gone, and locks wait for it."""

HOLD_WRITER = f"MATCH (m:{MARKER} {{name: $name}}) SET m.held = true"
WRITER = f"MATCH (m:{MARKER} {{name: $name}}) RETURN m.load AS load, m.batch AS batch"
ADVANCE_WRITER = f"MATCH (m:{MARKER} {{name: $name}}) SET m.batch = $batch"
"""Writers are nodes that say what they committed last (see `write`); the first write of a transaction is to take its lock."""

_ONCE = "CYPHER replan=skip"
"""Before a text that finds everything by a unique index: no plan is better when the graph has grown. Planning a text anew
each time that it has is a fifth of a warm server's work in a load of 30,000 elements, and more of a cold one's."""

INDEXES = "SHOW INDEXES YIELD name RETURN name"
"""Names of all indexes: a uniqueness constraint has one of its own name."""
AWAIT_INDEXES = "CALL db.awaitIndexes(600)"
MARKER_CONSTRAINT = f"CREATE CONSTRAINT kgpipe_marker IF NOT EXISTS FOR (m:{MARKER}) REQUIRE m.name IS UNIQUE"
_RELATIONSHIP_CONSTRAINT = "kgpipe_relationship_"


def constraints_and_indexes(schema: Schema) -> dict[str, str]:
    """Name and text of all that must stand before the first row; each is harmless where it stands already.

    Indexes come first: where there are nodes already they are filled in the background, constraints one after another.
    """
    found = {
        ENTITY_INDEX: f"CREATE FULLTEXT INDEX {ENTITY_INDEX} IF NOT EXISTS FOR (n:Entity) ON EACH [n.name, n.aliases]",
        PASSAGE_INDEX: f"CREATE FULLTEXT INDEX {PASSAGE_INDEX} IF NOT EXISTS FOR (n:Passage) ON EACH [n.text]",
        "kgpipe_evidence_fact": "CREATE INDEX kgpipe_evidence_fact IF NOT EXISTS FOR (n:Evidence) ON (n.fact)",
    }
    found |= {
        f"kgpipe_{label.lower()}": f"CREATE CONSTRAINT kgpipe_{label.lower()} IF NOT EXISTS "
        f"FOR (n:{label}) REQUIRE n.uid IS UNIQUE"
        for label in NODES
    }
    for kind in dict.fromkeys(("MENTIONS", *schema.relations)):
        name = quoted(_RELATIONSHIP_CONSTRAINT + kind)
        found[_RELATIONSHIP_CONSTRAINT + kind] = (
            f"CREATE CONSTRAINT {name} IF NOT EXISTS FOR ()-[r:{quoted(kind)}]-() REQUIRE r.uid IS UNIQUE"
        )
    return found


def relation_types(index_names: Iterable[str]) -> list[str]:
    """The relationship types that this and earlier loads have written, by the names of their indexes."""
    prefix = _RELATIONSHIP_CONSTRAINT
    return sorted(name.removeprefix(prefix) for name in index_names if name.startswith(prefix))


# Pages: one row with one list of (uid, found, labels) in uid order after $after: as rows of their own they would
# cost the driver ten times as long. `found` is the row hash that stands in the graph,
# or for an edge without properties the uid of its target (null where the edge is missing). Paging by a unique
# index keeps every read short; what has no `row` was not written by kgpipe and is left alone.


def node_pages(label: str) -> str:
    return f"""
{_ONCE} MATCH (n:{label}) USING INDEX n:{label}(uid)
WHERE n.uid > $after AND n.row IS NOT NULL
WITH n ORDER BY n.uid LIMIT $limit
RETURN collect([n.uid, n.row, labels(n)]) AS page"""


# What is written comes as columns, $n long: $properties holds a list for each key, $source and $target the uids of the
# ends. Against a map for each row that is a fifth of the time that a batch takes, on either side of the connection.

_ROWS = f"{_ONCE} UNWIND range(0, $n - 1) AS i"
_ENDS = "MATCH (a:{} {{uid: $source[i]}}) MATCH (b:{} {{uid: $target[i]}})"


def _map(keys: Iterable[str]) -> str:
    return "{" + ", ".join(f"{quoted(key)}: $properties.{quoted(key)}[i]" for key in keys) + "}"


def create_nodes(labels: Iterable[str], keys: Iterable[str]) -> str:
    """New nodes with the properties `keys`, of which `uid` is one."""
    return f"""
{_ROWS}
CREATE (:{":".join(map(quoted, labels))} {_map(keys)})
RETURN count(*) AS written"""


def write_nodes(labels: Iterable[str], keys: Iterable[str], unwanted: Iterable[str] = ()) -> str:
    """New or changed nodes with the properties `keys` and no others; the first label is the one whose uid is unique."""
    first, *others = labels
    change = "".join(f" SET n:{quoted(label)}" for label in others)
    change += "".join(f" REMOVE n:{quoted(label)}" for label in unwanted)
    return f"""
{_ROWS}
MERGE (n:{first} {_map(["uid"])}) SET n = {_map(keys)}{change}
RETURN count(*) AS written"""


def remove_nodes(label: str) -> str:
    return f"UNWIND $uids AS uid MATCH (n:{label} {{uid: uid}}) DETACH DELETE n"


def link_pages(source: str, kind: str, target: str) -> str:
    """PART_OF and IN have no properties: one a source node, told apart from facts by the labels of their ends."""
    return f"""
{_ONCE} MATCH (a:{source}) USING INDEX a:{source}(uid) WHERE a.uid > $after AND a.row IS NOT NULL
WITH a ORDER BY a.uid LIMIT $limit
RETURN collect([a.uid, [(a)-[:{kind}]->(b:{target}) | b.uid][0], []]) AS page"""


def create_links(source: str, kind: str, target: str) -> str:
    return f"""
{_ROWS}
{_ENDS.format(source, target)}
CREATE (a)-[:{kind}]->(b)
RETURN count(*) AS written"""


def write_links(source: str, kind: str, target: str) -> str:
    return f"""
{_ROWS}
{_ENDS.format(source, target)}
MERGE (a)-[:{kind}]->(b)
RETURN count(*) AS written"""


def remove_links(source: str, kind: str, target: str) -> str:
    return f"UNWIND $uids AS uid MATCH (a:{source} {{uid: uid}})-[r:{kind}]->(:{target}) DELETE r"


def edge_pages(source: str, kind: str) -> str:
    """Edges with a uid: facts from entities, MENTIONS from passages."""
    return f"""
{_ONCE} MATCH (a:{source})-[r:{quoted(kind)}]->() USING INDEX r:{quoted(kind)}(uid) WHERE r.uid > $after AND r.row IS NOT NULL
WITH r ORDER BY r.uid LIMIT $limit
RETURN collect([r.uid, r.row, []]) AS page"""


def count_edges(source: str, kind: str) -> str:
    return f"MATCH (:{source})-[r:{quoted(kind)}]->() RETURN count(r) AS n"


def create_edges(source: str, kind: str, target: str, keys: Iterable[str]) -> str:
    """New edges with the properties `keys`, of which `uid` is one; `write_edges` has new and changed ones."""
    return f"""
{_ROWS}
{_ENDS.format(source, target)}
CREATE (a)-[:{quoted(kind)} {_map(keys)}]->(b)
RETURN count(*) AS written"""


def write_edges(source: str, kind: str, target: str, keys: Iterable[str]) -> str:
    return f"""
{_ROWS}
{_ENDS.format(source, target)}
MERGE (a)-[r:{quoted(kind)} {_map(["uid"])}]->(b) SET r = {_map(keys)}
RETURN count(*) AS written"""


def remove_edges(source: str, kind: str) -> str:
    return f"UNWIND $uids AS uid MATCH (:{source})-[r:{quoted(kind)} {{uid: uid}}]->() DELETE r"


_OWN = " + ".join(f"COUNT {{ (:{label}) }}" for label in NODES)
NODES_NOW = f"RETURN {_OWN} AS n"
"""How many nodes there are of our labels; no edge of ours is without them."""


def count_label(label: str) -> str:
    return f"MATCH (n:{quoted(label)}) RETURN count(n) AS n"


def count_type(kind: str) -> str:
    return f"MATCH ()-[r:{quoted(kind)}]->() RETURN count(r) AS n"


def facts_of(kind: str) -> str:
    """Facts by their uids, with their ends."""
    return f"""
UNWIND $uids AS uid
MATCH (a:Entity)-[r:{quoted(kind)} {{uid: uid}}]->(b)
RETURN uid, a.uid, b.uid, properties(r)"""


OWN_SCHEMA = f"MATCH (m:{MARKER} {{name: 'kgpipe'}}) RETURN m.schema"
LOADED = f"MATCH (m:{MARKER} {{name: 'kgpipe'}}) RETURN m.fingerprint"
NODE_PROPERTIES = """
CALL db.schema.nodeTypeProperties() YIELD nodeLabels, propertyName, propertyTypes
RETURN nodeLabels, propertyName, propertyTypes"""
RELATIONSHIP_TYPES = "CALL db.relationshipTypes() YIELD relationshipType RETURN relationshipType"


def count_ends(kind: str, labels: Iterable[str]) -> str:
    """How many relationships of a type start, and how many end, at each label; answered by the count store."""
    labels = list(labels)
    starts = ", ".join(f"COUNT {{ (:{quoted(label)})-[:{quoted(kind)}]->() }}" for label in labels)
    ends = ", ".join(f"COUNT {{ ()-[:{quoted(kind)}]->(:{quoted(label)}) }}" for label in labels)
    return f"RETURN [{starts}] AS starts, [{ends}] AS ends"
