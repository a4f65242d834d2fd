"""Floor 2 proved: each door against the real thing behind it, or something that answers as badly as the real thing may."""
