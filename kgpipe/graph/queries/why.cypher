// Why is this believed: every sentence that states a fact about one thing, the best first within each fact
CALL db.index.fulltext.queryNodes('kgpipe_entities', $name, {limit: 1}) YIELD node AS e
MATCH (e)-[r]-(o)
WHERE o:Entity OR o:Literal
MATCH (v:Evidence {fact: r.uid})-[:IN]->(:Passage)-[:PART_OF]->(d:Document)
RETURN startNode(r).name + ' ' + type(r) + ' ' + endNode(r).name AS fact, v.sentence AS sentence, d.name AS document,
       max(v.score) AS score, d.uri AS uri
ORDER BY fact, score DESC
LIMIT 500
