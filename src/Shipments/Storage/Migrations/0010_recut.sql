-- The order's lines changed: the parcel is cancelled so that what is still wanted of it is packed anew, once it is certain that it
-- will not leave.
ALTER TABLE shipments ADD COLUMN recut boolean NOT NULL DEFAULT false;
