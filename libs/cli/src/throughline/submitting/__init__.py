"""`throughline submit`: each file through the door that is right for it."""
