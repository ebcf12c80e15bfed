-- What was decided in the place of a parcel's arrival, and how far that has come: {"remedy", "state", "amountMinor", "currency", "decidedAt", "updatedAt"}.
ALTER TABLE shipments ADD COLUMN decided_remedy jsonb;
