"""The synchronous face: thin classes that run the async ones on one background loop. Made by scripts/generate.py."""
