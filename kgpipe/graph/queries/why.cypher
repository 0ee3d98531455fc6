// Why is this believed: every sentence that states a fact about one thing, the best first within each fact
CALL db.index.fulltext.queryNodes('kgpipe_entities', $name, {limit: 1}) YIELD node AS e
MATCH (e)-[r]-(o)
WHERE o:Entity OR o:Literal
MATCH (v:Evidence {fact: r.uid})-[:IN]->(:Passage)-[:PART_OF]->(d:Document)
RETURN startNode(r).name AS subject, type(r) AS relation, endNode(r).name AS object,
       v.sentence AS sentence, d.name AS document, d.uri AS uri, v.score AS score
ORDER BY subject, relation, object, score DESC
LIMIT 500
