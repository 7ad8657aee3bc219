"""`throughline master-data` and `throughline crosswalk`: what a deployment knows, how it is changed, and what it does not know."""
