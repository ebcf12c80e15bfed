-- Who saw or changed what of whom: every call from outside. It only grows. A month is a table of its own, so that what is too old goes
-- at once. resources: names as they are in the API, and "persons/{hash}" for an e-mail address, a phone number or the shop's own
-- id of a customer, hashed with the key in audit_key.
CREATE TABLE audit_events (
  time        timestamptz NOT NULL,
  id          uuid        NOT NULL,
  principal   text        NOT NULL,
  stores      text[],
  method      text        NOT NULL,
  resources   text[]      NOT NULL,
  result      text        NOT NULL,
  trace_id    text        NOT NULL,
  client      text        NOT NULL,
  took_micros bigint      NOT NULL,
  -- More than one: reads of the same thing by the same caller after the first, which has an entry of its own.
  calls       integer     NOT NULL,
  PRIMARY KEY (time, id)
) PARTITION BY RANGE (time);
CREATE INDEX audit_events_resources ON audit_events USING gin (resources);
CREATE INDEX audit_events_principal ON audit_events (principal, time DESC, id DESC);
CREATE INDEX audit_events_method ON audit_events (method, time DESC, id DESC);

CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'The audit log only grows: % of % is refused.', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows();
ALTER TABLE audit_events ENABLE ALWAYS TRIGGER audit_only_grows;

-- One for all Gateways, made with the table.
CREATE TABLE audit_key (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  key bytea   NOT NULL
);
INSERT INTO audit_key (key) VALUES (decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));
CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_key FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows();
ALTER TABLE audit_key ENABLE ALWAYS TRIGGER audit_only_grows;

-- The table of the month of a time, made where it is missing; as the owner, for the service may make no tables.
CREATE FUNCTION audit_month(p_time timestamptz) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  first timestamptz := date_trunc('month', p_time);
  name text := 'audit_events_' || to_char(p_time, 'YYYYMM');
BEGIN
  IF to_regclass(name) IS NOT NULL THEN
    RETURN;
  END IF;
  -- Two Gateways, one table.
  PERFORM pg_advisory_xact_lock(hashtextextended('audit-months', 0));
  IF to_regclass(name) IS NOT NULL THEN
    RETURN;
  END IF;
  EXECUTE format('CREATE TABLE %I PARTITION OF audit_events FOR VALUES FROM (%L) TO (%L)', name, first, first + interval '1 month');
  EXECUTE format('CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()', name);
  EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER audit_only_grows', name);
END $$;

-- Drops the months that ended before a time; returns how many. Nobody, whoever speaks for the service, drops what is younger than a year.
CREATE FUNCTION audit_drop_before(p_time timestamptz) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  dropped integer := 0;
  month text;
BEGIN
  FOR month IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'audit_events'::regclass AND c.relname < 'audit_events_' || to_char(least(p_time, now() - interval '1 year'), 'YYYYMM')
  LOOP
    EXECUTE format('DROP TABLE %I', month);
    dropped := dropped + 1;
  END LOOP;
  RETURN dropped;
END $$;

SELECT audit_month(now()), audit_month(now() + interval '1 month');
