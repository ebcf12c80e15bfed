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
-- Loops, since a query of its own for each row would cost more than all the rest.
CREATE FUNCTION duration_quantile(counts integer[], share double precision) RETURNS smallint LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  n integer;
  seen bigint := 0;
  every bigint := 0;
  cell smallint := 0;
BEGIN
  FOREACH n IN ARRAY counts LOOP every := every + n; END LOOP;
  FOREACH n IN ARRAY counts LOOP
    seen := seen + n;
    IF seen > 0 AND seen >= every * share - 1e-9 THEN RETURN cell; END IF;
    cell := cell + 1;
  END LOOP;
  RETURN NULL;
END $$;
CREATE FUNCTION duration_count(counts integer[]) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  n integer;
  every integer := 0;
BEGIN
  FOREACH n IN ARRAY counts LOOP every := every + n; END LOOP;
  RETURN every;
END $$;
CREATE FUNCTION duration_add(one integer[], other integer[]) RETURNS integer[] LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  total integer[] := '{}';
BEGIN
  FOR i IN 1 .. greatest(cardinality(one), cardinality(other)) LOOP
    total[i] := greatest(coalesce(one[i], 0) + coalesce(other[i], 0), 0);
  END LOOP;
  RETURN total;
END $$;

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
