"""Numbers with their uncertainty: shares, means, fits; what all rooms compute alike. Pure; may import text, records."""
