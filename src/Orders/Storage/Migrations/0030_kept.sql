-- What of the total was never taken, because what was held of it was let go. And refunded_minor says from now on all that was given
-- back beside what the order was made cheaper by, be it more than the order costs by now: a change that makes it dearer again
-- would otherwise find it forgotten. What is kept is total_minor - untaken_minor - refunded_minor, not below zero.
ALTER TABLE orders ADD COLUMN untaken_minor bigint NOT NULL DEFAULT 0;
