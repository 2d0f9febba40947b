"""The doors: whatever arrives is handed to the inbox, which keeps it durably before anybody is told that it arrived."""
