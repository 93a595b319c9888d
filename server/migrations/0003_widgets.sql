-- Widgets: what a site's visitors open a room by, on pages of listed origins. An id is no secret; what it may cost is bounded.

CREATE TABLE widgets (
    widget TEXT PRIMARY KEY,
    public_key TEXT NOT NULL REFERENCES key_pairs (public_key),
    name TEXT NOT NULL,
    -- A JSON list of origins.
    origins TEXT NOT NULL,
    space TEXT NOT NULL,
    -- The starting project: its name and its plan, as postcard in base64. Nothing if it begins empty.
    project TEXT,
    per_hour BIGINT NOT NULL,
    per_address BIGINT NOT NULL,
    created BIGINT NOT NULL,
    revoked BIGINT
);

-- What was opened in the last hour. `visitor` is a keyed hash of an address.
CREATE TABLE widget_openings (
    widget TEXT NOT NULL REFERENCES widgets (widget),
    room TEXT NOT NULL REFERENCES rooms (room),
    visitor TEXT NOT NULL,
    created BIGINT NOT NULL
);

CREATE INDEX widget_openings_of ON widget_openings (widget, created);
