"""Asking: a question's words are linked, query graphs enumerated, ranked, compiled, guarded and answered with sentences."""
