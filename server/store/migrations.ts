/** Steps from one layout of the file to the next; `PRAGMA user_version` counts those taken. Only ever add to the end. */
export const MIGRATIONS = [
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
   CREATE TABLE learners (id TEXT PRIMARY KEY, secret_hash TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL) STRICT;
   CREATE TABLE sessions (
     id TEXT PRIMARY KEY,
     learner TEXT NOT NULL REFERENCES learners(id),
     lab TEXT NOT NULL,
     sandbox TEXT,
     created_at INTEGER NOT NULL,
     UNIQUE (learner, lab)
   ) STRICT;
   CREATE TABLE signals (
     session TEXT NOT NULL REFERENCES sessions(id),
     seq INTEGER NOT NULL,
     at INTEGER NOT NULL,
     body TEXT NOT NULL,
     PRIMARY KEY (session, seq)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE passes (
     session TEXT NOT NULL REFERENCES sessions(id),
     check_id TEXT NOT NULL,
     at INTEGER NOT NULL,
     PRIMARY KEY (session, check_id)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE terminals (
     id TEXT PRIMARY KEY,
     session TEXT NOT NULL REFERENCES sessions(id),
     host TEXT NOT NULL,
     title TEXT NOT NULL,
     place INTEGER NOT NULL
   ) STRICT;`,
  // Classes and who has joined them.
  `CREATE TABLE classes (
     name TEXT PRIMARY KEY,
     code TEXT NOT NULL,
     instructor_hash TEXT NOT NULL,
     created_at INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE members (
     learner TEXT PRIMARY KEY REFERENCES learners(id),
     class TEXT NOT NULL REFERENCES classes(name),
     name TEXT NOT NULL,
     name_key TEXT NOT NULL,
     joined_at INTEGER NOT NULL,
     hand_at INTEGER,
     UNIQUE (class, name_key)
   ) STRICT;`,
  // Whether the step was done for the learner.
  'ALTER TABLE passes ADD COLUMN assisted INTEGER NOT NULL DEFAULT 0;',
  // A session's place in the queue, its times and its end outlive the server as well.
  `ALTER TABLE sessions ADD COLUMN queued_at INTEGER;
   ALTER TABLE sessions ADD COLUMN started_at INTEGER;
   ALTER TABLE sessions ADD COLUMN extended_ms INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE sessions ADD COLUMN ended TEXT;`,
  // A pass is one row: its place in the journal of the hosts that it was earned on, and what it speaks of, are NULL once
  // those hosts are gone. Before, a signal said so a second time. The server's own name is there from the beginning.
  `ALTER TABLE passes ADD COLUMN about TEXT;
   ALTER TABLE passes ADD COLUMN seq INTEGER;
   INSERT INTO passes (session, check_id, at, about, seq)
     SELECT session, body ->> 'check', at, coalesce(body ->> 'about', 'past'), seq
     FROM signals WHERE body ->> 'kind' = 'pass'
     ON CONFLICT (session, check_id) DO UPDATE SET about = excluded.about, seq = excluded.seq;
   DELETE FROM signals WHERE body ->> 'kind' = 'pass';
   INSERT INTO meta (key, value) VALUES ('instance', lower(hex(randomblob(4)))) ON CONFLICT DO NOTHING;`,
  // Without a class there is one learner, whichever browser is used. Before, each browser that signed in was a learner of
  // its own: the oldest of them becomes that one, and what the others had is the one's. Of each lab the session whose hosts
  // were used last is kept, with the passes of all. The other sandboxes have no row then, so the sweep removes them; how
  // many is noted, to be told at the start. The new table also knows the secrets that lead nowhere any more, and why.
  `CREATE TABLE secrets (hash TEXT PRIMARY KEY, learner TEXT REFERENCES learners(id), retired TEXT) STRICT;
   CREATE TEMP TABLE alone AS SELECT * FROM learners WHERE id NOT IN (SELECT learner FROM members);
   INSERT INTO meta SELECT 'person', id FROM alone ORDER BY created_at, id LIMIT 1;
   CREATE TEMP TABLE ranked AS
     SELECT id, lab, sandbox, first_value(id) OVER used_last AS kept FROM sessions
     WHERE learner IN (SELECT id FROM alone)
     WINDOW used_last AS (PARTITION BY lab ORDER BY sandbox IS NULL,
       coalesce((SELECT max(at) FROM signals WHERE session = sessions.id), started_at, created_at) DESC, id);
   DELETE FROM ranked WHERE id = kept;
   INSERT INTO passes (session, check_id, at, assisted)
     SELECT kept, check_id, at, assisted FROM passes JOIN ranked ON session = id WHERE true
     ON CONFLICT DO NOTHING;
   INSERT INTO meta SELECT 'united', json_object(
       'browsers', (SELECT count(*) FROM alone),
       'sandboxes', (SELECT count(*) FROM ranked WHERE sandbox IS NOT NULL))
     WHERE (SELECT count(*) FROM alone) > 1;
   DELETE FROM signals WHERE session IN (SELECT id FROM ranked);
   DELETE FROM passes WHERE session IN (SELECT id FROM ranked);
   DELETE FROM terminals WHERE session IN (SELECT id FROM ranked);
   DELETE FROM sessions WHERE id IN (SELECT id FROM ranked);
   DELETE FROM alone WHERE id IN (SELECT value FROM meta WHERE key = 'person');
   UPDATE sessions SET learner = (SELECT value FROM meta WHERE key = 'person')
     WHERE learner IN (SELECT id FROM alone);
   INSERT INTO secrets (hash, learner)
     SELECT secret_hash, (SELECT value FROM meta WHERE key = 'person') FROM alone;
   DELETE FROM learners WHERE id IN (SELECT id FROM alone);
   DROP TABLE ranked;
   DROP TABLE alone;`,
  // The version of the lab with which the session began; NULL where the lab had none.
  'ALTER TABLE sessions ADD COLUMN version INTEGER;',
  // A sandbox that is stopped and kept: since when, and which limit has stopped it.
  `ALTER TABLE sessions ADD COLUMN stopped_at INTEGER;
   ALTER TABLE sessions ADD COLUMN stopped_because TEXT;`,
];
