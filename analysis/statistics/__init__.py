"""Statistics on arrays: numpy and scipy alone, no Django."""
