-- Parcels of which more is known than was read: a row for each change, so that whoever keeps scans never waits for whoever reads them,
-- and a change that commits while its parcel is read is read next.
CREATE TABLE parcels_to_read (
  shipment_id uuid   NOT NULL,
  version     bigint NOT NULL,
  PRIMARY KEY (shipment_id, version)
);

-- What was counted of a parcel, so that it can be taken back, and where it waits now.
CREATE TABLE parcel_paths (
  shipment_id uuid        PRIMARY KEY,
  counted     jsonb       NOT NULL,
  carrier     text        NOT NULL,
  -- Null: it is nowhere, out for delivery, or its journey is over.
  place       text,
  since       timestamptz,
  read_at     timestamptz NOT NULL
);
CREATE INDEX parcel_paths_waiting ON parcel_paths (carrier, place, since) WHERE place IS NOT NULL;
CREATE INDEX parcel_paths_read ON parcel_paths (read_at);

-- Counts by duration (Commerce.Promising.Waiting.Durations): the cell, from 0, in which the given share is reached.
CREATE FUNCTION duration_quantile(counts integer[], share double precision) RETURNS smallint LANGUAGE sql IMMUTABLE AS $$
  SELECT (min(i) - 1)::smallint FROM (
    SELECT i, sum(n) OVER (ORDER BY i) AS seen, sum(n) OVER () AS every FROM unnest(counts) WITH ORDINALITY AS cells (n, i)) AS summed
  WHERE seen > 0 AND seen >= every * share - 1e-9
$$;
CREATE FUNCTION duration_count(counts integer[]) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(sum(n), 0)::integer FROM unnest(counts) AS cells (n) $$;
CREATE FUNCTION duration_add(one integer[], other integer[]) RETURNS integer[] LANGUAGE sql IMMUTABLE AS $$
  SELECT array_agg(greatest(coalesce(a, 0) + coalesce(b, 0), 0) ORDER BY i) FROM unnest(one, other) WITH ORDINALITY AS cells (a, b, i)
$$;

-- How long carriers leave parcels of a stage without a scan, by the week in which the wait ended, in working time. Of each wait there are
-- three rows: of its lane (region to region), of its two countries, and of its carrier (both ends empty).
CREATE TABLE scan_gaps (
  carrier   text      NOT NULL,
  stage     smallint  NOT NULL,
  lane_from text      NOT NULL,
  lane_to   text      NOT NULL,
  week      date      NOT NULL,
  counts    integer[] NOT NULL,
  PRIMARY KEY (carrier, stage, lane_from, lane_to, week)
);
CREATE INDEX scan_gaps_week ON scan_gaps (week);

-- How long parcels stay at places and take between two, by the day on which that ended. Kind: 1 the stay at a place, 2 from a place to the
-- next one, 3 from the first scan at a place to the first sign of it elsewhere.
CREATE TABLE place_days (
  carrier    text      NOT NULL,
  kind       smallint  NOT NULL,
  place      text      NOT NULL,
  next_place text      NOT NULL,
  day        date      NOT NULL,
  counts     integer[] NOT NULL,
  parcels    integer   NOT NULL GENERATED ALWAYS AS (duration_count(counts)) STORED,
  median     smallint  GENERATED ALWAYS AS (duration_quantile(counts, 0.5)) STORED,
  high       smallint  GENERATED ALWAYS AS (duration_quantile(counts, 0.95)) STORED,
  PRIMARY KEY (carrier, kind, place, next_place, day)
);
CREATE INDEX place_days_day ON place_days (day, carrier);

-- Places in words, as one of the scans wrote them.
CREATE TABLE place_names (
  place text PRIMARY KEY,
  name  text NOT NULL
);

-- What was scanned within the time from which is learned.
INSERT INTO parcels_to_read (shipment_id, version) SELECT id, version FROM shipments WHERE last_scan_at > now() - interval '26 weeks' AND carrier IS NOT NULL;
