"""Floor 0 proved: no AWS, no network, no clock."""
