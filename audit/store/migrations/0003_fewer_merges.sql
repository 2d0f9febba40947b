-- A merge costs more than an insert. Ten parts of about the same size are merged at once instead of five, so that an
-- event is rewritten once for every tenfold the log has grown. A part as it arrives is one file, not a hundred.
ALTER TABLE events MODIFY SETTING merge_selector_base = 10, min_bytes_for_wide_part = 67108864;
