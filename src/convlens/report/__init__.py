"""The page that holds all pictures and tables of a run."""
