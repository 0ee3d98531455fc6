// Newest documents, by the date they bear, and how many facts they state
MATCH (d:Document)
OPTIONAL MATCH (d)<-[:PART_OF]-(:Passage)<-[:IN]-(v:Evidence)
RETURN d.time AS time, d.name AS document, count(DISTINCT v.fact) AS facts, d.uri AS uri
ORDER BY time DESC, facts DESC
LIMIT 50
