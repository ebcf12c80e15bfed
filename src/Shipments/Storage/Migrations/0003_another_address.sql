-- An order's address can change until a parcel is handed over. A label for the old one is voided first; until the carrier has
-- confirmed that, the new address waits here.
ALTER TABLE shipments ADD COLUMN next_ship_to jsonb, ADD COLUMN labels_voided integer NOT NULL DEFAULT 0;

-- Orders that were edited, and the version that the last edit made: planning compares it with the version that it read.
CREATE TABLE edited_orders (
  order_id  text   PRIMARY KEY,
  version   bigint NOT NULL
);
