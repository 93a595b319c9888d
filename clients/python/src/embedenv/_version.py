"""The version: here and nowhere else in the package. It is the server's, with which it is released."""

__version__ = "0.1.0"
