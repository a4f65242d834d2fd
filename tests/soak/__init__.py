"""Ten minutes of everything at once: `python -m tests.soak`. Workers are killed, answers are lost, the table hesitates, people leave; and no grant is lost but those that nobody could have kept."""
