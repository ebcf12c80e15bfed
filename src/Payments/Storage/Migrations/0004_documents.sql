-- The order was told to be paid: from then on it has an invoice, and what goes back has a credit note.
ALTER TABLE payments ADD COLUMN sold boolean NOT NULL DEFAULT false;
ALTER TABLE payments ADD COLUMN invoiced boolean NOT NULL DEFAULT false;
ALTER TABLE refunds ADD COLUMN credited boolean NOT NULL DEFAULT false;
UPDATE payments SET sold = true WHERE told = 3;

-- Invoices, receipts and credit notes, as they were issued. Kinds: 1 invoice, 2 receipt, 3 credit note (of a refund; else 0).
CREATE TABLE documents (
  store_id       text        NOT NULL,
  kind           smallint    NOT NULL CHECK (kind BETWEEN 1 AND 3),
  year           integer     NOT NULL,
  serial         integer     NOT NULL CHECK (serial > 0),
  order_id       text        NOT NULL,
  refund_number  integer     NOT NULL,
  issued_at      timestamptz NOT NULL,
  content        jsonb       NOT NULL,
  PRIMARY KEY (store_id, kind, year, serial),
  UNIQUE (order_id, kind, refund_number)
);
CREATE INDEX documents_store_issued ON documents (store_id, issued_at DESC, kind, serial DESC);

-- The last number given out. It is raised in the transaction that issues the document, which holds the row: the next one
-- waits, and one that is rolled back gives its number back.
CREATE TABLE document_numbers (
  store_id  text     NOT NULL,
  kind      smallint NOT NULL,
  year      integer  NOT NULL,
  last      integer  NOT NULL,
  PRIMARY KEY (store_id, kind, year)
);

-- Whoever writes: a document has the number after the last one, and stays as it was issued.
CREATE FUNCTION documents_are_gapless() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.serial > 1 AND NOT EXISTS (
    SELECT FROM documents WHERE store_id = NEW.store_id AND kind = NEW.kind AND year = NEW.year AND serial = NEW.serial - 1) THEN
    RAISE EXCEPTION 'Document % of kind % and year % would leave a gap.', NEW.serial, NEW.kind, NEW.year
      USING ERRCODE = 'check_violation', CONSTRAINT = 'documents_are_gapless';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER documents_are_gapless AFTER INSERT ON documents
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION documents_are_gapless();
CREATE FUNCTION documents_are_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'A document stays as it was issued: % is refused. Issue another one that corrects it.', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER documents_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON documents FOR EACH STATEMENT EXECUTE FUNCTION documents_are_final();
ALTER TABLE documents ENABLE ALWAYS TRIGGER documents_are_final;
ALTER TABLE documents ENABLE ALWAYS TRIGGER documents_are_gapless;
