"""The client and its errors."""
