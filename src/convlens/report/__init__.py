"""The static gallery: one HTML file that holds every picture and number of a run."""

from convlens.report.build import page

__all__ = ["page"]
