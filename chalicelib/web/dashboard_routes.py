"""Everything of the dashboard that is mounted, under one name for app.py."""

from chalicelib.web import dashboard_connections, dashboard_events, dashboard_providers, dashboard_records, dashboard_session
from chalicelib.web.dashboard_edge import dashboard

__all__ = ["dashboard", "dashboard_connections", "dashboard_events", "dashboard_providers", "dashboard_records", "dashboard_session"]
