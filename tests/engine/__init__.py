"""The engine against real authorization servers and a real table: nothing of ours is replaced, only clocks are moved and answers lost."""
