"""Data that leaves a system: by whose approval, and how much of it."""
