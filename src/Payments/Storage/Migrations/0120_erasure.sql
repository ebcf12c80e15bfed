-- Orders whose customers were erased. Their documents are kept until the day that the law says, out of sight; documents_removed_at: who
-- bought is gone from them, too.
CREATE TABLE erased_orders (
  order_id             text        PRIMARY KEY,
  erasure_id           text        NOT NULL,
  erased_at            timestamptz NOT NULL,
  keep_documents_until date,
  documents_removed_at timestamptz
);
CREATE INDEX erased_orders_to_remove ON erased_orders (keep_documents_until) WHERE documents_removed_at IS NULL AND keep_documents_until IS NOT NULL;

-- What is posted still stays, to everybody: what can go from it is what somebody wrote beside it, and only by erase_notes. Not even
-- that can write something else in its place.
CREATE OR REPLACE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND TG_TABLE_NAME IN ('store_credit_entries', 'ledger_notes') AND current_setting('commerce.erasing', true) = 'notes' THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'The ledger is append-only: % of % is refused. Post a correction instead.', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE FUNCTION only_notes_go() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.note <> '' OR to_jsonb(NEW) - 'note' <> to_jsonb(OLD) - 'note' THEN
    RAISE EXCEPTION 'The ledger is append-only: only a note of % can be taken away.', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER only_notes_go BEFORE UPDATE ON store_credit_entries FOR EACH ROW EXECUTE FUNCTION only_notes_go();
CREATE TRIGGER only_notes_go BEFORE UPDATE ON ledger_notes FOR EACH ROW EXECUTE FUNCTION only_notes_go();
ALTER TABLE store_credit_entries ENABLE ALWAYS TRIGGER only_notes_go;
ALTER TABLE ledger_notes ENABLE ALWAYS TRIGGER only_notes_go;

-- As the owner of the tables, since the service may not change what only grows. Returns how many notes went.
CREATE FUNCTION erase_notes(p_order text, p_store text, p_customer text) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET commerce.erasing = 'notes' AS $$
DECLARE
  credits bigint;
  corrections bigint;
BEGIN
  UPDATE store_credit_entries SET note = ''
  WHERE (order_id = p_order OR p_customer <> '' AND store_id = p_store AND customer_id = p_customer) AND note <> '';
  GET DIAGNOSTICS credits = ROW_COUNT;
  UPDATE ledger_notes n SET note = '' FROM ledger_movements m WHERE m.movement = n.movement AND m.order_id = p_order AND n.note <> '';
  GET DIAGNOSTICS corrections = ROW_COUNT;
  RETURN credits + corrections;
END $$;

-- A document stays as it was issued until the law wants it no more. Then the number, the date and the amounts stay, and who bought goes.
CREATE OR REPLACE FUNCTION documents_are_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'documents' AND current_setting('commerce.erasing', true) = 'documents' THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'A document stays as it was issued: % is refused. Issue another one that corrects it.', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE FUNCTION only_buyers_go() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  personal text[] := ARRAY['customer_name', 'customer_address', 'note'];
BEGIN
  IF to_jsonb(NEW) - 'content' <> to_jsonb(OLD) - 'content' OR NEW.content - personal <> OLD.content - personal
     OR NOT NEW.content @> '{"customer_name": "", "note": ""}' OR NEW.content -> 'customer_address' <> '[]'
     OR NOT EXISTS (SELECT FROM erased_orders e WHERE e.order_id = OLD.order_id AND e.keep_documents_until < now()::date) THEN
    RAISE EXCEPTION 'A document stays as it was issued until the law wants it no more; then only who bought can be taken away.' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER only_buyers_go BEFORE UPDATE ON documents FOR EACH ROW EXECUTE FUNCTION only_buyers_go();
ALTER TABLE documents ENABLE ALWAYS TRIGGER only_buyers_go;

-- Returns of how many orders the documents were emptied.
CREATE FUNCTION remove_old_documents(p_most integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET commerce.erasing = 'documents' AS $$
DECLARE
  over text[] := ARRAY(
    SELECT order_id FROM erased_orders WHERE documents_removed_at IS NULL AND keep_documents_until < now()::date
    ORDER BY keep_documents_until LIMIT p_most FOR UPDATE SKIP LOCKED);
BEGIN
  UPDATE documents SET content = content || '{"customer_name": "", "customer_address": [], "note": ""}' WHERE order_id = ANY (over);
  UPDATE erased_orders SET documents_removed_at = now() WHERE order_id = ANY (over);
  RETURN cardinality(over);
END $$;
