// The graph at a glance: the things most spoken of and connected, and the facts among them
MATCH (e:Entity)
WITH e ORDER BY COUNT { (e)--() } DESC LIMIT 60
WITH collect(e) AS best
UNWIND best AS e
MATCH p = (e)-->(o:Entity)
WHERE o IN best
RETURN p
LIMIT 200
