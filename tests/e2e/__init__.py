"""The running thing, from outside: a real deployment in the embedded AWS, a real browser, the real clients."""
