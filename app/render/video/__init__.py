"""Steps encoded, kept, and written to a film with their sound."""
