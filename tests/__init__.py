"""Proof. Mirrors the packages; `peers` are real authorization servers, `cloud` is the embedded AWS."""
