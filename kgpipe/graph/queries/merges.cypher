// Merges to look at: things with names that share no word with the one they are shown by, the most first
MATCH (e:Entity)
WHERE size(e.aliases) > 0
WITH e, [a IN e.aliases WHERE none(w IN split(toLower(a), ' ') WHERE toLower(e.name) CONTAINS w)] AS unlike
RETURN e.name AS name, e.type AS type, unlike, size(e.aliases) AS aliases, COUNT { (e)<-[:MENTIONS]-(:Passage) } AS passages, e.uid AS uid
ORDER BY size(unlike) DESC, aliases DESC, name
LIMIT 100
