"""The spool: what arrives is on disk before anybody is told so, and a single writer brings it to the log."""
