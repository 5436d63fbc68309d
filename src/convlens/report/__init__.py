"""Pictures and tables of a run as files, and the page that holds all of them."""
