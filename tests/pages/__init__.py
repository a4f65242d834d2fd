"""The hosted pages of the connect flow as a person meets them: a real Chromium, the deployed sandbox, real clicks."""
