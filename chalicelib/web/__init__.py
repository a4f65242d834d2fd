"""Floor 5: the HTTP edge. Routes, who calls, JSON and pages; no decision about a connection is taken here."""
