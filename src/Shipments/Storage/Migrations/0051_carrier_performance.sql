-- The version of a parcel whose end was counted: what is learned later makes a newer one, and it is counted anew. A constant default
-- rewrites nothing, and finds every parcel that ended before.
ALTER TABLE shipments ADD COLUMN measured_version bigint NOT NULL DEFAULT 0;

-- What was counted of a parcel, so that it can be taken back.
CREATE TABLE parcel_outcomes (
  shipment_id uuid  PRIMARY KEY,
  outcome     jsonb NOT NULL
);

-- How carriers do: parcels that ended in a week (it begins on Monday), summed. Days on the way are part of the key, so that percentiles
-- come of the same rows.
CREATE TABLE carrier_weeks (
  lane_from     text    NOT NULL,
  lane_to       text    NOT NULL,
  week          date    NOT NULL,
  carrier       text    NOT NULL,
  service       text    NOT NULL,
  zone          text    NOT NULL,
  currency      text    NOT NULL,
  calendar_days integer NOT NULL,
  business_days integer NOT NULL,
  parcels       bigint  NOT NULL,
  delivered     bigint  NOT NULL,
  returned      bigint  NOT NULL,
  measured      bigint  NOT NULL,
  in_time       bigint  NOT NULL,
  promised      bigint  NOT NULL,
  kept          bigint  NOT NULL,
  first_attempt bigint  NOT NULL,
  exceptions    bigint  NOT NULL,
  cost_minor    numeric NOT NULL,
  PRIMARY KEY (lane_from, lane_to, week, carrier, service, zone, currency, calendar_days, business_days)
);
CREATE INDEX carrier_weeks_week ON carrier_weeks (week, carrier);
