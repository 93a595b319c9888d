-- How the frame of a widget looks: parameters of the page's address, such as `theme=dark&hideExplorer=1`.

ALTER TABLE widgets ADD COLUMN look TEXT NOT NULL DEFAULT '';
