"""Fixtures of the end-to-end tests are those of every test in a browser: tests/browser.py."""

from tests.browser import Api

__all__ = ["Api"]
