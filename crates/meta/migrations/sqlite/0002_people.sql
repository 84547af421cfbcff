-- People, what they belong to, what they may do, what limits them, and what they did.
-- Roles are numbers because the greatest of several counts: 1 reader, 2 writer, 3 maintainer.
-- `version` counts changes of a row, for updates that must not overwrite another's.
-- What tokens, tickets and scripts may name by number is never numbered again: AUTOINCREMENT.

-- One namespace for users and orgs: a user's name is also that of their own org.
ALTER TABLE orgs ADD COLUMN personal_of INTEGER REFERENCES users (id) ON DELETE SET NULL;
ALTER TABLE orgs ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
CREATE INDEX orgs_open ON orgs (name) WHERE visibility IN ('internal', 'public');
CREATE UNIQUE INDEX orgs_by_user ON orgs (personal_of) WHERE personal_of IS NOT NULL;
ALTER TABLE users ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE users ADD COLUMN signed_in_at INTEGER;
CREATE INDEX users_who_administer ON users (id) WHERE is_admin = 1 AND is_disabled = 0;
ALTER TABLE repositories ADD COLUMN settings_version INTEGER NOT NULL DEFAULT 1; -- `version` counts changes of tags
ALTER TABLE repositories ADD COLUMN deleted_at INTEGER; -- the row stays while the collector has work in it
ALTER TABLE tags ADD COLUMN updated_by TEXT; -- NULL: before it was recorded
CREATE INDEX repositories_by_org ON repositories (org_id, name);
-- `caller` of an upload is the row of whoever began it, `user:5` or `robot:7`: a name can be somebody else's later.
CREATE INDEX uploads_by_caller ON uploads (caller);
CREATE INDEX repositories_open ON repositories (org_id, name) WHERE visibility IN ('internal', 'public');

INSERT INTO orgs (name, visibility, created_at) VALUES ('public', 'internal', 1000 * CAST(strftime('%s', 'now') AS INTEGER))
  ON CONFLICT (name) DO UPDATE SET visibility = coalesce(visibility, 'internal');
INSERT INTO orgs (name, created_at, personal_of) SELECT name, created_at, id FROM users WHERE true
  ON CONFLICT (name) DO UPDATE SET personal_of = excluded.personal_of;

CREATE TABLE members (
  org_id INTEGER NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role TEXT NOT NULL CHECK (role IN ('owner', 'member')),
  since INTEGER NOT NULL,
  PRIMARY KEY (org_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_user ON members (user_id, org_id);
INSERT INTO members (org_id, user_id, role, since) SELECT id, personal_of, 'owner', created_at FROM orgs
  WHERE personal_of IS NOT NULL;

CREATE TABLE teams (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  org_id INTEGER NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  version INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  UNIQUE (org_id, name)
) STRICT;

CREATE TABLE team_members (
  team_id INTEGER NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  provider_id INTEGER REFERENCES providers (id) ON DELETE CASCADE, -- whose group claim says so; NULL by hand
  since INTEGER NOT NULL,
  PRIMARY KEY (team_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX team_members_by_user ON team_members (user_id, team_id);
CREATE INDEX team_members_by_provider ON team_members (provider_id) WHERE provider_id IS NOT NULL;

-- Machines' accounts; on the wire `org+name`.
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

-- A role on a whole org (repo_id NULL) or on one repository, given to exactly one of user, team, robot, or an address
-- that nobody has signed in with yet.
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
CREATE UNIQUE INDEX grants_by_user ON grants (user_id, org_id, coalesce(repo_id, 0), coalesce(email, ''))
  WHERE user_id IS NOT NULL;
CREATE UNIQUE INDEX grants_by_team ON grants (team_id, org_id, coalesce(repo_id, 0)) WHERE team_id IS NOT NULL;
CREATE UNIQUE INDEX grants_by_robot ON grants (robot_id, org_id, coalesce(repo_id, 0)) WHERE robot_id IS NOT NULL;
CREATE UNIQUE INDEX grants_by_email ON grants (email, org_id, coalesce(repo_id, 0)) WHERE email IS NOT NULL;
CREATE INDEX grants_by_org ON grants (org_id, id);
CREATE INDEX grants_by_repository ON grants (repo_id, id) WHERE repo_id IS NOT NULL;

-- Tokens that stand for a user or a robot, with at most the rights they name.
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
CREATE UNIQUE INDEX api_tokens_by_user ON api_tokens (user_id, name) WHERE user_id IS NOT NULL;
CREATE UNIQUE INDEX api_tokens_by_robot ON api_tokens (robot_id, name) WHERE robot_id IS NOT NULL;
CREATE INDEX api_tokens_by_org ON api_tokens (org_id) WHERE org_id IS NOT NULL;
CREATE INDEX api_tokens_by_repository ON api_tokens (repo_id) WHERE repo_id IS NOT NULL;

-- OpenID Connect providers that people sign in by.
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

-- A group of the provider's is a team here.
CREATE TABLE provider_groups (
  provider_id INTEGER NOT NULL REFERENCES providers (id) ON DELETE CASCADE,
  group_name TEXT NOT NULL,
  team_id INTEGER NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
  PRIMARY KEY (provider_id, group_name, team_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX provider_groups_by_team ON provider_groups (team_id);

-- Who a provider says somebody is: never the address, which can be given to somebody else.
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

-- Addresses of users that a trusted provider vouched for or an administrator set: never one that somebody typed for
-- themselves.
CREATE TABLE user_emails (
  email TEXT NOT NULL PRIMARY KEY, -- in lower case
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX user_emails_by_user ON user_emails (user_id);

-- A sign-in by a provider that is under way.
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

-- Devices that wait for a person's consent (RFC 8628).
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

-- Tokens of an outside issuer that stand for a robot.
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

-- Rates that an administrator has set; what is not here has its default.
CREATE TABLE rate_limits (
  class TEXT NOT NULL,
  per TEXT NOT NULL CHECK (per IN ('caller', 'anonymous', 'address', 'repository')),
  requests INTEGER CHECK (requests > 0), -- NULL: no limit
  seconds INTEGER NOT NULL CHECK (seconds > 0),
  PRIMARY KEY (class, per)
) STRICT, WITHOUT ROWID;

-- What an org may keep. NULL: no limit.
CREATE TABLE quotas (
  org_id INTEGER NOT NULL PRIMARY KEY REFERENCES orgs (id) ON DELETE CASCADE,
  bytes INTEGER CHECK (bytes >= 0),
  repositories INTEGER CHECK (repositories >= 0),
  tags INTEGER CHECK (tags >= 0),
  version INTEGER NOT NULL DEFAULT 1
) STRICT;

-- What an org keeps: each blob and manifest once, however many of its repositories have it.
CREATE TABLE org_content (
  org_id INTEGER NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
  digest TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('blob', 'manifest')),
  size INTEGER NOT NULL,
  links INTEGER NOT NULL CHECK (links > 0), -- repositories
  PRIMARY KEY (org_id, digest, kind)
) STRICT, WITHOUT ROWID;

-- The sums of it, and of its reservations, spread over slots so that pushes do not all change one row.
CREATE TABLE org_usage (
  org_id INTEGER NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
  slot INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  tags INTEGER NOT NULL,
  reserved INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (org_id, slot)
) STRICT, WITHOUT ROWID;

-- Bytes that pushes under way may still bring.
CREATE TABLE reservations (
  upload TEXT NOT NULL PRIMARY KEY,
  org_id INTEGER NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
  bytes INTEGER NOT NULL CHECK (bytes >= 0)
) STRICT, WITHOUT ROWID;
CREATE INDEX reservations_by_org ON reservations (org_id);

INSERT INTO org_content (org_id, digest, kind, size, links)
  SELECT r.org_id, b.digest, 'blob', b.size, count(*) FROM repo_blobs l
  JOIN repositories r ON r.id = l.repo_id JOIN blobs b ON b.digest = l.digest GROUP BY r.org_id, b.digest, b.size;
INSERT INTO org_content (org_id, digest, kind, size, links)
  SELECT r.org_id, m.digest, 'manifest', m.size, count(*) FROM repo_manifests l
  JOIN repositories r ON r.id = l.repo_id JOIN manifests m ON m.digest = l.digest
  WHERE l.deleted_at IS NULL GROUP BY r.org_id, m.digest, m.size;
INSERT INTO org_usage (org_id, slot, bytes, tags)
  SELECT o.id, 0, (SELECT coalesce(sum(c.size), 0) FROM org_content c WHERE c.org_id = o.id),
    (SELECT count(*) FROM tags t JOIN repositories r ON r.id = t.repo_id WHERE r.org_id = o.id) FROM orgs o;

-- What happened. Only ever added to; the oldest go when their time or the space is over.
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
CREATE INDEX audit_by_org ON audit (org, id);
CREATE INDEX audit_by_actor ON audit (actor, id);
CREATE INDEX audit_by_action ON audit (action, id);
CREATE INDEX audit_by_target ON audit (target, id);
CREATE INDEX audit_by_time ON audit (at, id);
CREATE TRIGGER audit_is_append_only BEFORE UPDATE ON audit BEGIN
  SELECT raise(ABORT, 'the audit is only ever added to');
END;
