// What is known of one thing: its facts, without the passages that name it
CALL db.index.fulltext.queryNodes('kgpipe_entities', $name, {limit: 1}) YIELD node AS e
MATCH p = (e)--(o)
WHERE o:Entity OR o:Literal
RETURN p
LIMIT 100
