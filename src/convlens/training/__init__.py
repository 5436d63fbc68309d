"""Fitting models so that a killed run continues and equal runs give equal bits."""
