-- What was given back so far of what was paid, as Payments told; a constant default rewrites nothing.
ALTER TABLE orders ADD COLUMN refunded_minor bigint NOT NULL DEFAULT 0;
