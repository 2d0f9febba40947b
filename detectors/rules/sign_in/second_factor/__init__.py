"""Sign-ins with less than the system asks for."""
