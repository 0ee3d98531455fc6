// Facts that contradict each other: several values where the schema allows one (a rounder date does not contradict)
MATCH (a:Entity)-[r]->(b)
WHERE type(r) IN $functional AND (b:Entity OR b:Literal)
WITH a, type(r) AS relation, collect({value: coalesce(b.text, b.name), literal: b:Literal, sentence: r.sentence, support: r.support}) AS said
WHERE any(x IN said WHERE any(y IN said WHERE x.value <> y.value AND NOT (
  x.literal AND y.literal AND (rtrim(x.value, 'X') STARTS WITH rtrim(y.value, 'X') OR rtrim(y.value, 'X') STARTS WITH rtrim(x.value, 'X')))))
UNWIND said AS one
RETURN a.name AS subject, relation, one.value AS value, one.support AS support, one.sentence AS sentence
ORDER BY subject, relation, support DESC, value
LIMIT 200
