"""Peers: real authorization servers, written by others, that tests start as child processes.

Rule: a peer's protocol code is never ours. Here we only configure it, press its buttons and count its requests.
"""

from .fault_proxy import FaultProxy
from .launch import Peer, start_django, start_oidc

__all__ = ["FaultProxy", "Peer", "start_django", "start_oidc"]
