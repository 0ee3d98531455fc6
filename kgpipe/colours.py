"""One colour for each type of a schema, the same on every page, in the terminal and in Neo4j Browser."""

from __future__ import annotations

import colorsys

from kgpipe.schema import Schema

NO_COLOUR = "#dddddd"
"""Of what has no type of the schema."""


def of_types(schema: Schema) -> dict[str, str]:
    """A light colour for each type, on which black is legible: sand for literals, hues far apart for their neighbours."""
    literals = [name for name, kind in schema.entities.items() if kind.literal]
    made = {name: ("#ded7bd", "#cfd6c4", "#dcccc4")[i % 3] for i, name in enumerate(literals)}
    for i, name in enumerate(name for name in schema.entities if name not in made):
        hue, light = (0.7 + i * 0.618034) % 1, (0.80, 0.73, 0.86)[i % 3]
        made[name] = "#" + "".join(f"{round(c * 255):02x}" for c in colorsys.hls_to_rgb(hue, light, 0.75))
    return made
