"""kgpipe: documents in, a knowledge graph that can be trusted, asked and inspected out."""

__version__ = "0.1.0"
