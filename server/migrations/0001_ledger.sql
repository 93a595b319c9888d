-- Keys, credits and rooms. Plain SQL that SQLite and PostgreSQL both take. Times are milliseconds since 1970.

CREATE TABLE key_pairs (
    public_key TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    balance BIGINT NOT NULL CHECK (balance >= 0),
    created BIGINT NOT NULL,
    last_used BIGINT,
    revoked BIGINT
);

CREATE TABLE rooms (
    room TEXT PRIMARY KEY,
    public_key TEXT NOT NULL REFERENCES key_pairs (public_key),
    space TEXT NOT NULL,
    created BIGINT NOT NULL,
    last_used BIGINT NOT NULL,
    sandbox TEXT,
    epoch BIGINT NOT NULL,
    ended BIGINT
);

-- Append only: what was granted, charged and given back, and what the balance was then.
CREATE TABLE credits (
    entry TEXT PRIMARY KEY,
    public_key TEXT NOT NULL REFERENCES key_pairs (public_key),
    kind TEXT NOT NULL,
    amount BIGINT NOT NULL,
    balance_after BIGINT NOT NULL CHECK (balance_after >= 0),
    room TEXT REFERENCES rooms (room),
    created BIGINT NOT NULL
);

CREATE TABLE idempotency_keys (
    public_key TEXT NOT NULL REFERENCES key_pairs (public_key),
    idempotency_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    room TEXT NOT NULL REFERENCES rooms (room),
    remaining BIGINT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (public_key, idempotency_key)
);

-- The keys themselves are derived, never stored.
CREATE TABLE join_keys (
    room TEXT NOT NULL REFERENCES rooms (room),
    number BIGINT NOT NULL,
    role TEXT NOT NULL,
    created BIGINT NOT NULL,
    revoked BIGINT,
    PRIMARY KEY (room, number)
);
