"""WorkOS's own clients, as published, against a deployed stage: every method, parameter and documented error of theirs that touches Pipes."""
