"""Proof. Mirrors the packages; `peers` are real authorization servers, `cloud` is the embedded AWS."""

from hypothesis import settings

# Property tests run beside servers of all sorts; how long one example took says nothing.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")
