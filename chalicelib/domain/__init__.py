"""Floor 0, pure: no AWS, no network, no clock of its own."""
