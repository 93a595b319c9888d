-- What an account used on a day of UTC, by each of its pairs, summed up while its lines are added: however many lines
-- there are, a month is some rows.

CREATE TABLE usage_days (
    account TEXT NOT NULL REFERENCES accounts (account),
    -- Days since 1970.
    day BIGINT NOT NULL,
    -- Empty for what was granted.
    public_key TEXT NOT NULL,
    rooms BIGINT NOT NULL,
    spent BIGINT NOT NULL,
    granted BIGINT NOT NULL,
    PRIMARY KEY (account, day, public_key)
);
INSERT INTO usage_days (account, day, public_key, rooms, spent, granted)
    SELECT account, created / 86400000, COALESCE(public_key, ''),
        COUNT(DISTINCT CASE WHEN kind = 'charge' THEN room END),
        CAST(SUM(CASE WHEN kind IN ('charge', 'refund') THEN -amount ELSE 0 END) AS BIGINT),
        CAST(SUM(CASE WHEN kind IN ('grant', 'payment') THEN amount ELSE 0 END) AS BIGINT)
    FROM credits WHERE kind <> 'expiry' GROUP BY 1, 2, 3;

-- While there is a row, no room is opened, and who asks for one is told why.
CREATE TABLE maintenance (
    the_one BIGINT PRIMARY KEY CHECK (the_one = 1),
    message TEXT NOT NULL,
    since BIGINT NOT NULL
);

-- Minutes for which sandboxes of the pair's rooms ran, and those for which they may.
ALTER TABLE key_pairs ADD COLUMN minutes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE key_pairs ADD COLUMN minutes_most BIGINT;
UPDATE key_pairs SET minutes = COALESCE(
    (SELECT CAST(SUM(minutes) AS BIGINT) FROM rooms WHERE rooms.public_key = key_pairs.public_key), 0);

-- Minutes for which people were in the room by a join key, each person's counted, and those for which they may be.
ALTER TABLE join_keys ADD COLUMN minutes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE join_keys ADD COLUMN minutes_most BIGINT;
