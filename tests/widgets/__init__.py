"""WorkOS's own widgets, unmodified, in a real browser, on a page of a customer's product, before a deployed stage.

Rule: what a widget shows is read from its package (`states.py`), so a state that no test shows fails the tests.
"""
