"""Standpipe: connections to third-party accounts, kept live. Floors, from the ground up: domain, providers, doors, engine, wiring, web."""
