"""Older majors of the Python package, each in a process and a folder of its own."""
