-- Made by the test `schema_sql_is_the_sum_of_the_migrations`.

CREATE TABLE blobs (
  digest TEXT NOT NULL PRIMARY KEY,
  size INTEGER NOT NULL CHECK (size >= 0),
  location TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('stored', 'quarantined')),
  stored_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE doomed (
  location TEXT NOT NULL PRIMARY KEY,
  digest TEXT NOT NULL,
  not_before INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
  id TEXT NOT NULL PRIMARY KEY,
  purpose TEXT NOT NULL,
  secret BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE manifests (
  digest TEXT NOT NULL PRIMARY KEY,
  size INTEGER NOT NULL,
  bytes BLOB NOT NULL
) STRICT;

CREATE TABLE orgs (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  visibility TEXT CHECK (visibility IN ('private', 'internal', 'public')),
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE refresh_tokens (
  hash BLOB NOT NULL PRIMARY KEY, -- SHA-256 of the token: high entropy needs no slow hash
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  client_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  used_at INTEGER,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX refresh_tokens_by_client ON refresh_tokens (user_id, client_id, created_at, hash);

CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

CREATE TABLE refs (
  repo_id INTEGER NOT NULL REFERENCES repositories (id),
  parent TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('config', 'layer', 'manifest', 'subject')),
  child TEXT NOT NULL,
  PRIMARY KEY (repo_id, parent, kind, child)
) STRICT, WITHOUT ROWID;

CREATE INDEX refs_by_child ON refs (repo_id, child);

CREATE TABLE repo_blobs (
  repo_id INTEGER NOT NULL REFERENCES repositories (id),
  digest TEXT NOT NULL REFERENCES blobs (digest),
  touched_at INTEGER NOT NULL,
  PRIMARY KEY (repo_id, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX repo_blobs_by_digest ON repo_blobs (digest);

CREATE TABLE repo_manifests (
  repo_id INTEGER NOT NULL REFERENCES repositories (id),
  digest TEXT NOT NULL REFERENCES manifests (digest),
  media_type TEXT NOT NULL,
  artifact_type TEXT, -- as the referrers list names it
  subject TEXT,
  pushed_by TEXT NOT NULL,
  pushed_at INTEGER NOT NULL,
  deleted_at INTEGER,
  incomplete INTEGER NOT NULL CHECK (incomplete IN (0, 1)), -- something it names was not there when it was accepted
  annotations TEXT, -- as the referrers list shows them, JSON; last, as it may be long
  PRIMARY KEY (repo_id, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX repo_manifests_by_digest ON repo_manifests (digest);

CREATE INDEX repo_manifests_by_subject ON repo_manifests (repo_id, subject, digest)
  WHERE subject IS NOT NULL AND deleted_at IS NULL;

CREATE INDEX repo_manifests_by_type ON repo_manifests (repo_id, subject, artifact_type, digest)
  WHERE subject IS NOT NULL AND deleted_at IS NULL;

CREATE INDEX repo_manifests_incomplete ON repo_manifests (repo_id, digest) WHERE incomplete = 1 AND deleted_at IS NULL;

CREATE TABLE repositories (
  id INTEGER PRIMARY KEY,
  org_id INTEGER NOT NULL REFERENCES orgs (id),
  name TEXT NOT NULL UNIQUE, -- canonical, org included: one look-up, and the order of listings
  visibility TEXT CHECK (visibility IN ('private', 'internal', 'public')),
  version INTEGER NOT NULL DEFAULT 0, -- counts changes of tags
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE review (
  kind TEXT NOT NULL CHECK (kind IN ('blob', 'manifest')),
  repo_id INTEGER NOT NULL REFERENCES repositories (id),
  digest TEXT NOT NULL,
  event TEXT NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (kind, repo_id, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tag_events (
  repo_id INTEGER NOT NULL REFERENCES repositories (id),
  version INTEGER NOT NULL,
  tag TEXT NOT NULL,
  from_digest TEXT,
  to_digest TEXT,
  at INTEGER NOT NULL,
  by TEXT NOT NULL,
  PRIMARY KEY (repo_id, version, tag)
) STRICT, WITHOUT ROWID;

CREATE TABLE tags (
  repo_id INTEGER NOT NULL,
  tag TEXT NOT NULL,
  digest TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (repo_id, tag),
  FOREIGN KEY (repo_id, digest) REFERENCES repo_manifests (repo_id, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX tags_by_digest ON tags (repo_id, digest);

CREATE TABLE uploads (
  id TEXT NOT NULL PRIMARY KEY,
  repo_id INTEGER NOT NULL REFERENCES repositories (id),
  caller TEXT NOT NULL,
  size INTEGER NOT NULL, -- bytes acknowledged
  algorithm TEXT NOT NULL,
  hash_state BLOB NOT NULL,
  boot TEXT NOT NULL, -- the boot of the machine that wrote the bytes
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX uploads_by_expiry ON uploads (expires_at);

CREATE TABLE users (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  email TEXT,
  password_hash TEXT,
  is_admin INTEGER NOT NULL CHECK (is_admin IN (0, 1)),
  is_disabled INTEGER NOT NULL DEFAULT 0 CHECK (is_disabled IN (0, 1)),
  created_at INTEGER NOT NULL
) STRICT;
