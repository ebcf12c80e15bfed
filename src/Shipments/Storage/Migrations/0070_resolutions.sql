-- What was done about parcels that need somebody. Read and written only under the parcel's lock, and by the parcel.
CREATE TABLE resolutions (
  shipment_id  uuid        NOT NULL REFERENCES shipments (id),
  number       integer     NOT NULL,
  action       smallint    NOT NULL,
  state        smallint    NOT NULL,
  detail       text        NOT NULL,
  amount_minor bigint,
  currency     text,
  day          date,
  outcome      text        NOT NULL,
  note         text        NOT NULL,
  actor        text        NOT NULL,
  created_at   timestamptz NOT NULL,
  updated_at   timestamptz NOT NULL,
  PRIMARY KEY (shipment_id, number)
);

-- What stands in for a parcel that did not arrive: 1 its pieces were sent again, 2 they were paid back. How bad its exception is,
-- as in commerce.shipments.v1.ExceptionReport.Severity; what the version before writes is in the middle. Constant defaults rewrite nothing.
ALTER TABLE shipments ADD COLUMN remedy smallint NOT NULL DEFAULT 0, ADD COLUMN exception_severity smallint NOT NULL DEFAULT 2;

-- Worst first, and among equals the one that has waited longest.
CREATE INDEX shipments_store_worst ON shipments (store_id, exception_severity DESC, exception_at, id) WHERE exception_kind IS NOT NULL;
