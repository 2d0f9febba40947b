-- Under which lease a day's look-ups were made: what a node left behind that had lost its lease is told by it.
ALTER TABLE lookups ADD COLUMN made UInt64 DEFAULT 0;
ALTER TABLE lookups_made ADD COLUMN made UInt64 DEFAULT 0;
