-- What a carrier pays of a claim; null: nothing, or it has not decided.
ALTER TABLE resolutions ADD COLUMN paid_minor bigint, ADD COLUMN paid_currency text;

-- Claims (action 1), by the time at which they were begun.
CREATE INDEX resolutions_claims ON resolutions (created_at) WHERE action = 1;
