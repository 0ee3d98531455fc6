"""Resolution: which mentions name one thing, and which facts the extracted relations state."""
