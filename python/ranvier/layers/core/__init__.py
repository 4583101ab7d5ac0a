"""The core layers."""
