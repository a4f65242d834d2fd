"""Floor 3: the trips. Connect, fetch, refresh, disconnect; nothing here knows HTTP from its callers or DynamoDB from its store."""
