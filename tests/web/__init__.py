"""The HTTP edge, called as API Gateway calls it: the real handler, a real table, real authorization servers."""
