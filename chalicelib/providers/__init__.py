"""Floor 1: what we know about third parties. A provider is one TOML file of data; a departure from an RFC that data cannot say is a named quirk."""
