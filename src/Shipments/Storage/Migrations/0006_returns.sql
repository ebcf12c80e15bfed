-- The order's return that a parcel brings back; 0: it goes to the shopper. A constant default rewrites nothing.
ALTER TABLE shipments ADD COLUMN return_number integer NOT NULL DEFAULT 0;

-- Returns that were cancelled, perhaps before their parcels were planned.
CREATE TABLE cancelled_returns (
  order_id      text    NOT NULL,
  return_number integer NOT NULL,
  PRIMARY KEY (order_id, return_number)
);
