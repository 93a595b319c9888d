-- When a room ends whatever happens in it, in milliseconds since 1970, if its host said so; until then its sandbox stays awake.
ALTER TABLE rooms ADD COLUMN ends_at BIGINT;
-- What its host wrote on it: a JSON object of texts, its members in order.
ALTER TABLE rooms ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';
