-- What a pair spent on a day, and its lines from the newest on, however many lines there are.

CREATE INDEX credits_of ON credits (public_key, created, entry);
