#!/usr/bin/env bash
# Makes the two roles and the database. Runs once in the database's container, or by hand:
#   POSTGRES_USER=postgres OWNER_PASSWORD=… APP_PASSWORD=… deploy/postgres/roles.sh
# `owner` owns the tables and runs migrations; `app` is what the product connects as. Neither is a
# superuser, so that what a migration revokes from `app` is really revoked. Run again, it only sets
# the passwords anew.
set -euo pipefail
: "${OWNER_PASSWORD:?is not set}" "${APP_PASSWORD:?is not set}"
database="${MARKETPLACE_DATABASE:-marketplace}"
owner="${MARKETPLACE_OWNER:-owner}"
app="${MARKETPLACE_APP:-app}"

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" \
  --dbname postgres --set database="$database" --set owner="$owner" --set app="$app" <<'SQL'
-- Passwords are read from the environment, so that no list of processes ever shows them.
\getenv owner_password OWNER_PASSWORD
\getenv app_password APP_PASSWORD
SELECT format('CREATE ROLE %I LOGIN', name)
FROM unnest(ARRAY[:'owner', :'app']) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE :"owner" PASSWORD :'owner_password' NOSUPERUSER NOCREATEDB NOCREATEROLE;
ALTER ROLE :"app" PASSWORD :'app_password' NOSUPERUSER NOCREATEDB NOCREATEROLE;
SELECT format('CREATE DATABASE %I OWNER %I ENCODING ''UTF8'' TEMPLATE template0',
              :'database', :'owner')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE :"database" TO :"app";
ALTER DATABASE :"database" SET timezone TO 'UTC';
SQL
