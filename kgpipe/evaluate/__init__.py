"""How good extraction, resolution and answers are against gold, and whether two builds are the same."""
