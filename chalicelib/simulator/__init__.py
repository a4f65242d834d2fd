"""Authorization servers for a sandbox: four with their real dialect, one for every other provider of the catalogue. Plain functions over a table: no Chalice, no network, no clock.

Start at `routes.handle`. Rule: served only where the stage is a sandbox, and a browser is only ever sent back to this stage's own callback.
"""
