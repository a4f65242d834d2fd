"""Floor 2: one door per outside thing. What a library means by an error is decided here and nowhere above."""
