"""The dashboard: its sign-in, its JSON, its pages in a real browser, and the attacks on each."""
