-- How the moment of a scan is known (shipments.v1.Scan.TimeBasis; until now carriers' offsets were believed), who told of it (empty: its
-- carrier), and the status that an aggregator gave it. Constant defaults rewrite nothing.
ALTER TABLE scans
  ADD COLUMN time_basis      smallint NOT NULL DEFAULT 1,
  ADD COLUMN reporter        text     NOT NULL DEFAULT '',
  ADD COLUMN reporter_status text     NOT NULL DEFAULT '';
