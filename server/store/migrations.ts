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
];
