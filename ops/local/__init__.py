"""The local cloud: an embedded AWS, a real deployment into it, and a front that stands where a custom domain would."""
