-- Accounts, who they belong to, and what they let in. Credits are an account's, and its key pairs spend them: a pair that was
-- made before gets an account of its own.

CREATE TABLE accounts (
    account TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    -- In lower case. Nothing for accounts that were made on the command line, and for closed ones.
    email TEXT UNIQUE,
    password_hash TEXT,
    role TEXT NOT NULL,
    balance BIGINT NOT NULL CHECK (balance >= 0),
    created BIGINT NOT NULL,
    closed BIGINT
);

INSERT INTO accounts (account, name, role, balance, created)
    SELECT 'a_' || SUBSTR(public_key, 4), name, 'member', balance, created FROM key_pairs;

ALTER TABLE key_pairs ADD COLUMN account TEXT REFERENCES accounts (account);
UPDATE key_pairs SET account = 'a_' || SUBSTR(public_key, 4);
ALTER TABLE key_pairs DROP COLUMN balance;
-- `pair`, or `console` for what is done with a session: each account has one of those, without a secret.
ALTER TABLE key_pairs ADD COLUMN kind TEXT NOT NULL DEFAULT 'pair';
-- JSON: what the pair is good for.
ALTER TABLE key_pairs ADD COLUMN scope TEXT NOT NULL DEFAULT '{}';
-- The secret before this one, and until when it is still good.
ALTER TABLE key_pairs ADD COLUMN former_hash TEXT;
ALTER TABLE key_pairs ADD COLUMN former_until BIGINT;
-- Credits it has taken, and those it may.
ALTER TABLE key_pairs ADD COLUMN spent BIGINT NOT NULL DEFAULT 0;
ALTER TABLE key_pairs ADD COLUMN budget BIGINT;
-- Rooms of it that may live at once.
ALTER TABLE key_pairs ADD COLUMN rooms_most BIGINT;
CREATE INDEX key_pairs_of ON key_pairs (account, created, public_key);

-- The lines of an account name the pair that spent, if one did.
CREATE TABLE credit_lines (
    entry TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (account),
    public_key TEXT REFERENCES key_pairs (public_key),
    kind TEXT NOT NULL,
    amount BIGINT NOT NULL,
    balance_after BIGINT NOT NULL CHECK (balance_after >= 0),
    room TEXT REFERENCES rooms (room),
    created BIGINT NOT NULL
);
INSERT INTO credit_lines (entry, account, public_key, kind, amount, balance_after, room, created)
    SELECT entry, 'a_' || SUBSTR(public_key, 4), public_key, kind, amount, balance_after, room, created FROM credits;
DROP TABLE credits;
ALTER TABLE credit_lines RENAME TO credits;
CREATE INDEX credits_of ON credits (account, created, entry);
UPDATE key_pairs SET spent = COALESCE(
    (SELECT -SUM(amount) FROM credits WHERE credits.public_key = key_pairs.public_key AND kind IN ('charge', 'refund')), 0);

ALTER TABLE rooms ADD COLUMN account TEXT REFERENCES accounts (account);
UPDATE rooms SET account = 'a_' || SUBSTR(public_key, 4);
CREATE INDEX rooms_of ON rooms (account, room);

ALTER TABLE widgets ADD COLUMN account TEXT REFERENCES accounts (account);
UPDATE widgets SET account = 'a_' || SUBSTR(public_key, 4);

-- Browsers that are logged in. Their tokens are kept as keyed hashes.
CREATE TABLE sessions (
    session TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (account),
    token_hash TEXT NOT NULL UNIQUE,
    browser TEXT NOT NULL,
    created BIGINT NOT NULL,
    last_used BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX sessions_of ON sessions (account, created);

-- What is good once: for a sign-up, a new password, an invitation, the first operator. Kept as keyed hashes, too.
CREATE TABLE tokens (
    token_hash TEXT PRIMARY KEY,
    purpose TEXT NOT NULL,
    account TEXT REFERENCES accounts (account),
    email TEXT,
    -- JSON: what a sign-up said.
    said TEXT,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL
);

-- Append only: who did what with an account.
CREATE TABLE audit (
    entry TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (account),
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    created BIGINT NOT NULL
);
CREATE INDEX audit_of ON audit (account, created, entry);
