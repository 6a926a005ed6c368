"""Agents: what answers a dialogue. One file a kind; importing this package loads no torch."""
