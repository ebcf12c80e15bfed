-- The pictures that documents show, each once, by the SHA-256 of what they are.
CREATE TABLE document_logos (
  hash   text  COLLATE "C" PRIMARY KEY,
  image  bytea NOT NULL
);
CREATE TRIGGER documents_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON document_logos FOR EACH STATEMENT EXECUTE FUNCTION documents_are_final();
ALTER TABLE document_logos ENABLE ALWAYS TRIGGER documents_are_final;
