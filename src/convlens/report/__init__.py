"""The static HTML gallery of everything that a run produced."""
