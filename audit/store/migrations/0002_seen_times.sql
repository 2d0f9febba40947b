-- What a delivery that was cut off had brought is taken back by counting it again with the opposite sign: a deletion
-- would be a mutation, and one that meets a full disk leaves a file with which the embedded engine never opens again.
ALTER TABLE intake_seen ADD COLUMN times Int64 DEFAULT 1;
