"""Asking: a question's words are linked, query trees grown, ranked, compiled, guarded and answered with sentences."""
