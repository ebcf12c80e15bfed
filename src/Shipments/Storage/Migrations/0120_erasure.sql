-- Its customer was erased: nobody is to be found in it any more, whatever its carrier still tells. A constant default rewrites nothing.
ALTER TABLE shipments ADD COLUMN erased boolean NOT NULL DEFAULT false;

-- Whoever writes: of a parcel of somebody who was erased no proof is kept.
CREATE FUNCTION no_proof_of_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT erased FROM shipments WHERE id = NEW.shipment_id) THEN
    RETURN NULL;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER no_proof_of_erased BEFORE INSERT OR UPDATE ON proofs_of_delivery FOR EACH ROW EXECUTE FUNCTION no_proof_of_erased();
