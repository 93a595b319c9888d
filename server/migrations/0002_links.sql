-- How long and how often a join key is good, and who made it. A key without them is good as long as its room.

ALTER TABLE join_keys ADD COLUMN expires BIGINT;
ALTER TABLE join_keys ADD COLUMN uses BIGINT;
ALTER TABLE join_keys ADD COLUMN used BIGINT NOT NULL DEFAULT 0;
ALTER TABLE join_keys ADD COLUMN created_by TEXT;
