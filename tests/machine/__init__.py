"""A state machine over the whole vault: whatever is done to it, in any order, and whatever breaks meanwhile, no grant is lost that was not really lost."""
