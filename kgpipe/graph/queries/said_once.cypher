// Facts that one sentence states, the least certain first
MATCH (a:Entity)-[r]->(b)
WHERE r.support = 1 AND (b:Entity OR b:Literal)
RETURN a.name AS subject, type(r) AS relation, b.name AS object, r.score AS score, r.sentence AS sentence, r.source AS source
ORDER BY score, subject, relation, object
LIMIT 200
