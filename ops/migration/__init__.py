"""Connections on their way in and out: files of other systems, files sealed to an operator's key, and which system refreshes which grant.

Rule: no secret is in anything these write or say, except inside the sealed file of an export.
"""
