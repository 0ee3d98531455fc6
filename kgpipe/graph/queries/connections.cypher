// Who is connected to whom: the shortest ways from one thing to another, over facts only
CALL db.index.fulltext.queryNodes('kgpipe_entities', $name, {limit: 1}) YIELD node AS a
CALL db.index.fulltext.queryNodes('kgpipe_entities', $other, {limit: 1}) YIELD node AS b
MATCH p = allShortestPaths((a)-[*..6]-(b))
WHERE a <> b AND all(n IN nodes(p) WHERE n:Entity)
RETURN p
LIMIT 20
