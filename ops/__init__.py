"""What an operator runs: the local cloud, deploying, keys. Never shipped to Lambda."""
