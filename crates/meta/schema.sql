-- Made by the test `schema_sql_is_the_sum_of_the_migrations`.

CREATE TABLE api_tokens (
  id TEXT NOT NULL PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE, -- SHA-256: high entropy needs no slow hash
  user_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
  robot_id INTEGER REFERENCES robots (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  hint TEXT NOT NULL, -- its last characters, to tell it by
  role INTEGER NOT NULL CHECK (role IN (1, 2, 3)), -- at most: read, write, admin
  org_id INTEGER REFERENCES orgs (id) ON DELETE CASCADE, -- there only; neither: everywhere
  repo_id INTEGER REFERENCES repositories (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  used_at INTEGER, -- to the minute
  used_from TEXT,
  CHECK ((user_id IS NOT NULL) + (robot_id IS NOT NULL) = 1),
  CHECK (org_id IS NULL OR repo_id IS NULL)
) STRICT, WITHOUT ROWID;

CREATE INDEX api_tokens_by_org ON api_tokens (org_id) WHERE org_id IS NOT NULL;

CREATE INDEX api_tokens_by_repository ON api_tokens (repo_id) WHERE repo_id IS NOT NULL;

CREATE UNIQUE INDEX api_tokens_by_robot ON api_tokens (robot_id, name) WHERE robot_id IS NOT NULL;

CREATE UNIQUE INDEX api_tokens_by_user ON api_tokens (user_id, name) WHERE user_id IS NOT NULL;

CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  via TEXT NOT NULL, -- password, token:NAME, session, ci:RULE, operator, …
  address TEXT,
  request TEXT,
  action TEXT NOT NULL, -- grant.create, sign-in.failure, …
  outcome TEXT NOT NULL CHECK (outcome IN ('done', 'refused')),
  org TEXT, -- whose owners may read it
  target TEXT NOT NULL,
  times INTEGER NOT NULL DEFAULT 1, -- alike within a short while
  until INTEGER, -- of several alike the last; at is the first
  details TEXT -- JSON: before, after, reason
) STRICT;

CREATE INDEX audit_by_action ON audit (action, id);

CREATE INDEX audit_by_actor ON audit (actor, id);

CREATE INDEX audit_by_org ON audit (org, id);

CREATE INDEX audit_by_target ON audit (target, id);

CREATE INDEX audit_by_time ON audit (at, id);

CREATE TRIGGER audit_is_append_only BEFORE UPDATE ON audit BEGIN
  SELECT raise(ABORT, 'the audit is only ever added to');
END;

CREATE TABLE blobs (
  digest TEXT NOT NULL PRIMARY KEY,
  size INTEGER NOT NULL CHECK (size >= 0),
  location TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('stored', 'quarantined')),
  stored_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE device_codes (
  hash BLOB NOT NULL PRIMARY KEY,
  user_code TEXT NOT NULL UNIQUE,
  client_id TEXT NOT NULL,
  address TEXT,
  user_id INTEGER REFERENCES users (id) ON DELETE CASCADE, -- who decided
  state TEXT NOT NULL CHECK (state IN ('waiting', 'allowed', 'refused')),
  polled_at INTEGER,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX device_codes_by_expiry ON device_codes (expires_at);

CREATE INDEX device_codes_by_user ON device_codes (user_id) WHERE user_id IS NOT NULL;

CREATE TABLE doomed (
  location TEXT NOT NULL PRIMARY KEY,
  digest TEXT NOT NULL,
  not_before INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE grants (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  org_id INTEGER NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
  repo_id INTEGER REFERENCES repositories (id) ON DELETE CASCADE,
  user_id INTEGER REFERENCES users (id) ON DELETE CASCADE, -- beside an address: whose it is
  team_id INTEGER REFERENCES teams (id) ON DELETE CASCADE,
  robot_id INTEGER REFERENCES robots (id) ON DELETE CASCADE,
  email TEXT, -- in lower case; whom the grant is to, as its giver knows them
  role INTEGER NOT NULL CHECK (role IN (1, 2, 3)),
  granted_by TEXT NOT NULL,
  granted_at INTEGER NOT NULL,
  CHECK ((user_id IS NOT NULL OR email IS NOT NULL) + (team_id IS NOT NULL) + (robot_id IS NOT NULL) = 1)
) STRICT;

CREATE UNIQUE INDEX grants_by_email ON grants (email, org_id, coalesce(repo_id, 0)) WHERE email IS NOT NULL;

CREATE INDEX grants_by_org ON grants (org_id, id);

CREATE INDEX grants_by_repository ON grants (repo_id, id) WHERE repo_id IS NOT NULL;

CREATE UNIQUE INDEX grants_by_robot ON grants (robot_id, org_id, coalesce(repo_id, 0)) WHERE robot_id IS NOT NULL;

CREATE UNIQUE INDEX grants_by_team ON grants (team_id, org_id, coalesce(repo_id, 0)) WHERE team_id IS NOT NULL;

CREATE UNIQUE INDEX grants_by_user ON grants (user_id, org_id, coalesce(repo_id, 0), coalesce(email, ''))
  WHERE user_id IS NOT NULL;

CREATE TABLE identities (
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  email TEXT,
  created_at INTEGER NOT NULL,
  used_at INTEGER NOT NULL,
  PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX identities_by_user ON identities (user_id);

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

CREATE TABLE members (
  org_id INTEGER NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role TEXT NOT NULL CHECK (role IN ('owner', 'member')),
  since INTEGER NOT NULL,
  PRIMARY KEY (org_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX members_by_user ON members (user_id, org_id);

CREATE TABLE org_content (
  org_id INTEGER NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
  digest TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('blob', 'manifest')),
  size INTEGER NOT NULL,
  links INTEGER NOT NULL CHECK (links > 0), -- repositories
  PRIMARY KEY (org_id, digest, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE org_usage (
  org_id INTEGER NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
  slot INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  tags INTEGER NOT NULL,
  reserved INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (org_id, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE orgs (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  visibility TEXT CHECK (visibility IN ('private', 'internal', 'public')),
  created_at INTEGER NOT NULL
, personal_of INTEGER REFERENCES users (id) ON DELETE SET NULL, version INTEGER NOT NULL DEFAULT 1) STRICT;

CREATE UNIQUE INDEX orgs_by_user ON orgs (personal_of) WHERE personal_of IS NOT NULL;

CREATE INDEX orgs_open ON orgs (name) WHERE visibility IN ('internal', 'public');

CREATE TABLE provider_groups (
  provider_id INTEGER NOT NULL REFERENCES providers (id) ON DELETE CASCADE,
  group_name TEXT NOT NULL,
  team_id INTEGER NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
  PRIMARY KEY (provider_id, group_name, team_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX provider_groups_by_team ON provider_groups (team_id);

CREATE TABLE providers (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL, -- on the button
  issuer TEXT NOT NULL,
  client_id TEXT NOT NULL,
  client_secret TEXT NOT NULL,
  scopes TEXT NOT NULL, -- separated by spaces
  trusted_domains TEXT NOT NULL, -- mail domains whose addresses it may vouch for, separated by spaces
  groups_claim TEXT,
  is_enabled INTEGER NOT NULL DEFAULT 1 CHECK (is_enabled IN (0, 1)),
  makes_users INTEGER NOT NULL DEFAULT 1 CHECK (makes_users IN (0, 1)), -- who has no account gets one
  version INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE quotas (
  org_id INTEGER NOT NULL PRIMARY KEY REFERENCES orgs (id) ON DELETE CASCADE,
  bytes INTEGER CHECK (bytes >= 0),
  repositories INTEGER CHECK (repositories >= 0),
  tags INTEGER CHECK (tags >= 0),
  version INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE rate_limits (
  class TEXT NOT NULL,
  per TEXT NOT NULL CHECK (per IN ('caller', 'anonymous', 'address', 'repository')),
  requests INTEGER CHECK (requests > 0), -- NULL: no limit
  seconds INTEGER NOT NULL CHECK (seconds > 0),
  PRIMARY KEY (class, per)
) STRICT, WITHOUT ROWID;

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
, settings_version INTEGER NOT NULL DEFAULT 1, deleted_at INTEGER) STRICT;

CREATE INDEX repositories_by_org ON repositories (org_id, name);

CREATE INDEX repositories_open ON repositories (org_id, name) WHERE visibility IN ('internal', 'public');

CREATE TABLE reservations (
  upload TEXT NOT NULL PRIMARY KEY,
  org_id INTEGER NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
  bytes INTEGER NOT NULL CHECK (bytes >= 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX reservations_by_org ON reservations (org_id);

CREATE TABLE review (
  kind TEXT NOT NULL CHECK (kind IN ('blob', 'manifest')),
  repo_id INTEGER NOT NULL REFERENCES repositories (id),
  digest TEXT NOT NULL,
  event TEXT NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (kind, repo_id, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE robots (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  org_id INTEGER NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  is_disabled INTEGER NOT NULL DEFAULT 0 CHECK (is_disabled IN (0, 1)),
  version INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  UNIQUE (org_id, name)
) STRICT;

CREATE TABLE settings (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sign_ins (
  state_hash BLOB NOT NULL PRIMARY KEY,
  provider_id INTEGER NOT NULL REFERENCES providers (id) ON DELETE CASCADE,
  nonce TEXT NOT NULL,
  verifier TEXT NOT NULL, -- RFC 7636
  return_to TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sign_ins_by_expiry ON sign_ins (expires_at);

CREATE INDEX sign_ins_by_provider ON sign_ins (provider_id);

CREATE TABLE sqlite_sequence(name,seq);

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
  updated_at INTEGER NOT NULL, updated_by TEXT,
  PRIMARY KEY (repo_id, tag),
  FOREIGN KEY (repo_id, digest) REFERENCES repo_manifests (repo_id, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX tags_by_digest ON tags (repo_id, digest);

CREATE TABLE team_members (
  team_id INTEGER NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  provider_id INTEGER REFERENCES providers (id) ON DELETE CASCADE, -- whose group claim says so; NULL by hand
  since INTEGER NOT NULL,
  PRIMARY KEY (team_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX team_members_by_provider ON team_members (provider_id) WHERE provider_id IS NOT NULL;

CREATE INDEX team_members_by_user ON team_members (user_id, team_id);

CREATE TABLE teams (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  org_id INTEGER NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  version INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  UNIQUE (org_id, name)
) STRICT;

CREATE TABLE trust_rules (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  org_id INTEGER NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  robot_id INTEGER NOT NULL REFERENCES robots (id) ON DELETE CASCADE,
  issuer TEXT NOT NULL,
  audience TEXT NOT NULL,
  claims TEXT NOT NULL, -- JSON: claim → pattern, all must match
  role INTEGER NOT NULL CHECK (role IN (1, 2, 3)), -- at most
  lifetime INTEGER NOT NULL, -- seconds, at most, since the outside token was issued
  is_enabled INTEGER NOT NULL DEFAULT 1 CHECK (is_enabled IN (0, 1)),
  version INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  UNIQUE (org_id, name)
) STRICT;

CREATE INDEX trust_rules_by_issuer ON trust_rules (issuer, is_enabled, org_id);

CREATE INDEX trust_rules_by_robot ON trust_rules (robot_id);

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

CREATE INDEX uploads_by_caller ON uploads (caller);

CREATE INDEX uploads_by_expiry ON uploads (expires_at);

CREATE TABLE user_emails (
  email TEXT NOT NULL PRIMARY KEY, -- in lower case
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX user_emails_by_user ON user_emails (user_id);

CREATE TABLE users (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  email TEXT,
  password_hash TEXT,
  is_admin INTEGER NOT NULL CHECK (is_admin IN (0, 1)),
  is_disabled INTEGER NOT NULL DEFAULT 0 CHECK (is_disabled IN (0, 1)),
  created_at INTEGER NOT NULL
, version INTEGER NOT NULL DEFAULT 1, signed_in_at INTEGER) STRICT;

CREATE INDEX users_who_administer ON users (id) WHERE is_admin = 1 AND is_disabled = 0;
