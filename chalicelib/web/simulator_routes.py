"""The sandbox's simulated providers, mounted. In production these paths do not exist."""

from chalice import Blueprint

simulator_routes = Blueprint(__name__)
