-- Pieces that were cancelled or taken off; quantity does not count them. A line's share of the order's discounts is fixed when
-- pieces of the order first go: whatever goes then, and in whatever order, the shares sum to the discount. Null: not fixed yet.
ALTER TABLE order_lines ADD COLUMN cancelled integer NOT NULL DEFAULT 0, ADD COLUMN discount_minor bigint;

-- A change of lines that waits for its money, and how many were proposed so far. On the order itself: it is read with every order,
-- and hardly any order has one.
ALTER TABLE orders ADD COLUMN pending_change jsonb, ADD COLUMN changes integer NOT NULL DEFAULT 0;
