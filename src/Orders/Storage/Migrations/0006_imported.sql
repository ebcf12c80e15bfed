-- An order of a shop's history: create_time is when it was placed there, import_time when it came here. The hash of what
-- was told tells the same order told again from another one under the same number.
ALTER TABLE orders ADD COLUMN import_time timestamptz, ADD COLUMN import_hash bytea;
