"""What a claim is and may do; nothing here knows a wire format or a database."""
