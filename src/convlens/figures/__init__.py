"""Arrays in, Matplotlib figures out; no model is known here."""
