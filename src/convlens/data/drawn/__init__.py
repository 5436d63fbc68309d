"""Data source `drawn`: animals drawn by a program, with the parts of each known by pixel.

They differ by shape alone (ears, muzzle, eyes, whiskers, tongue, tail); pose, place, fur, light,
background and occluder come from one distribution that does not know the class.
"""
