namespace Commerce.Sandbox.Books;

/// <summary>The books' tables. Times are unix milliseconds.</summary>
internal static class Schema
{
    public const string Sql = """
        CREATE TABLE IF NOT EXISTS answers (
          scope TEXT NOT NULL, key TEXT NOT NULL, hash BLOB NOT NULL, body BLOB NOT NULL,
          PRIMARY KEY (scope, key)) WITHOUT ROWID;

        CREATE TABLE IF NOT EXISTS authorizations (
          seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, reference TEXT NOT NULL, idempotency_key TEXT,
          method TEXT NOT NULL, installments INTEGER NOT NULL, currency TEXT NOT NULL, amount INTEGER NOT NULL,
          captured INTEGER NOT NULL DEFAULT 0, refunded INTEGER NOT NULL DEFAULT 0, voided INTEGER NOT NULL DEFAULT 0,
          status TEXT NOT NULL, decline_reason TEXT, created_at INTEGER NOT NULL, resolves_at INTEGER);
        CREATE INDEX IF NOT EXISTS authorizations_reference ON authorizations (reference);
        CREATE INDEX IF NOT EXISTS authorizations_key ON authorizations (idempotency_key) WHERE idempotency_key IS NOT NULL;
        CREATE INDEX IF NOT EXISTS authorizations_pending ON authorizations (resolves_at) WHERE resolves_at IS NOT NULL;

        CREATE TABLE IF NOT EXISTS captures (
          id TEXT PRIMARY KEY, authorization_seq INTEGER NOT NULL, amount INTEGER NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS captures_authorization ON captures (authorization_seq);

        CREATE TABLE IF NOT EXISTS refunds (
          id TEXT PRIMARY KEY, authorization_seq INTEGER NOT NULL, reference TEXT NOT NULL, amount INTEGER NOT NULL,
          status TEXT NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS refunds_authorization ON refunds (authorization_seq);

        CREATE TABLE IF NOT EXISTS failed_once (token_use TEXT PRIMARY KEY) WITHOUT ROWID;

        CREATE TABLE IF NOT EXISTS labels (
          seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, carrier TEXT NOT NULL, tracking_number TEXT NOT NULL UNIQUE,
          reference TEXT NOT NULL, order_reference TEXT NOT NULL, service TEXT NOT NULL, currency TEXT NOT NULL, price INTEGER NOT NULL,
          ship_to TEXT NOT NULL, weight_grams INTEGER NOT NULL, created_at INTEGER NOT NULL, estimated_delivery_at INTEGER NOT NULL,
          voided_at INTEGER, journey TEXT NOT NULL, position INTEGER NOT NULL DEFAULT 0, announced INTEGER NOT NULL DEFAULT 0, next_scan_at INTEGER);
        CREATE INDEX IF NOT EXISTS labels_reference ON labels (reference);
        CREATE INDEX IF NOT EXISTS labels_order ON labels (order_reference);
        CREATE INDEX IF NOT EXISTS labels_due ON labels (next_scan_at) WHERE next_scan_at IS NOT NULL;

        CREATE TABLE IF NOT EXISTS claims (
          id TEXT PRIMARY KEY, carrier TEXT NOT NULL, label INTEGER NOT NULL, currency TEXT NOT NULL, amount INTEGER NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID;

        CREATE TABLE IF NOT EXISTS scenarios (
          order_reference TEXT PRIMARY KEY, ends_at TEXT, refusals_left INTEGER NOT NULL, silent INTEGER NOT NULL) WITHOUT ROWID;

        CREATE TABLE IF NOT EXISTS webhooks (
          seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, target TEXT NOT NULL, path TEXT NOT NULL, body BLOB NOT NULL,
          attempts INTEGER NOT NULL DEFAULT 0, due_at INTEGER NOT NULL);

        CREATE TABLE IF NOT EXISTS mails (
          seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, message_id TEXT NOT NULL UNIQUE, sender TEXT NOT NULL,
          recipients TEXT NOT NULL, subject TEXT NOT NULL, received_at INTEGER NOT NULL, text TEXT NOT NULL, html TEXT,
          headers TEXT NOT NULL, duplicates INTEGER NOT NULL DEFAULT 0);

        -- Not forgotten with the rest: a tracking number must stay unique for ever.
        CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS sequences (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        """;

    /// <summary>Columns that came later, with what adds them to books that were begun before.</summary>
    public static readonly IReadOnlyList<(string Table, string Column, string Sql)> Later =
    [
        ("authorizations", "account", "ALTER TABLE authorizations ADD COLUMN account TEXT NOT NULL DEFAULT ''"),
    ];

    public const string Forget = """
        DELETE FROM answers; DELETE FROM authorizations; DELETE FROM captures; DELETE FROM refunds; DELETE FROM failed_once;
        DELETE FROM labels; DELETE FROM claims; DELETE FROM scenarios; DELETE FROM webhooks; DELETE FROM mails;
        """;
}
