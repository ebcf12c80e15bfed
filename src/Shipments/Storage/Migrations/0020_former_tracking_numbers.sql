-- Numbers that a parcel was known by until staff corrected them, with the scans that were learned of each: they say nothing of this
-- parcel, and are read only with their number, so they are kept as rows of "scans" in jsonb and not among them. When another parcel
-- comes to bear the number, they are handed to it.
CREATE TABLE former_tracking_numbers (
  shipment_id     uuid        NOT NULL REFERENCES shipments (id),
  ordinal         integer     NOT NULL,
  carrier         text        NOT NULL,
  tracking_number text        NOT NULL,
  replaced_at     timestamptz NOT NULL,
  replaced_by     text        NOT NULL,
  note            text        NOT NULL,
  scans           jsonb       NOT NULL,
  PRIMARY KEY (shipment_id, ordinal)
);

-- The parcel that bore a number last.
CREATE INDEX former_tracking_numbers_number ON former_tracking_numbers (tracking_number, replaced_at DESC);
