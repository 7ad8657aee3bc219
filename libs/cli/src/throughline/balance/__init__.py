"""`throughline balance`: what a patient owes, and every line that makes it up."""
