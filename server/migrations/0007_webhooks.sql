-- What an account is told elsewhere: addresses that hear of events, what they are to hear, and how that went.

CREATE TABLE webhooks (
    webhook TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (account),
    url TEXT NOT NULL,
    -- JSON: the kinds of events it hears of.
    events TEXT NOT NULL,
    created BIGINT NOT NULL,
    revoked BIGINT
);
CREATE INDEX webhooks_of ON webhooks (account, created, webhook);

-- Written in the transaction of what they tell, so that none is lost.
CREATE TABLE deliveries (
    delivery TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (account),
    -- A mail to the account's address without one.
    webhook TEXT REFERENCES webhooks (webhook),
    event TEXT NOT NULL,
    -- JSON: what is sent.
    body TEXT NOT NULL,
    created BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    -- When the next one is due; nothing once it was delivered or given up.
    next_try BIGINT,
    delivered BIGINT,
    -- Of the last try: what was answered, or why nothing was.
    status BIGINT,
    problem TEXT
);
CREATE INDEX deliveries_due ON deliveries (next_try);
CREATE INDEX deliveries_of ON deliveries (webhook, created, delivery);
CREATE INDEX deliveries_by_age ON deliveries (created);

CREATE INDEX audit_by_age ON audit (created);

-- A balance below this is told to the account's owner, once each time it gets there; never, if it is zero.
ALTER TABLE accounts ADD COLUMN low_credits BIGINT NOT NULL DEFAULT 5;

-- What a payment system has paid, so that it is granted once.
CREATE TABLE payments (
    payment TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (account),
    credits BIGINT NOT NULL,
    created BIGINT NOT NULL
);

-- Credits that are good until a time, with what is left of them: they are spent first, the earliest before the others.
CREATE TABLE expiring (
    entry TEXT PRIMARY KEY REFERENCES credits (entry),
    account TEXT NOT NULL REFERENCES accounts (account),
    remaining BIGINT NOT NULL CHECK (remaining >= 0),
    expires BIGINT NOT NULL
);
CREATE INDEX expiring_of ON expiring (account, expires, entry);
CREATE INDEX expiring_at ON expiring (expires);

-- Minutes for which a sandbox of the room ran, and thousandths of a credit that they cost and were not taken yet.
ALTER TABLE rooms ADD COLUMN minutes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN owed BIGINT NOT NULL DEFAULT 0;
