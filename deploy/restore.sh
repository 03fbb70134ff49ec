#!/usr/bin/env bash
# Puts a backup into an EMPTY database and an EMPTY folder.
#   OWNER_DATABASE_URL=… STORAGE_URL=… deploy/restore.sh /var/backups/marketplace/2026-…
# Make the roles and the database with postgres/roles.sh first. Keep web, worker and relay stopped
# until the steps of deploy/README.md ("After a restore") are done: money may have moved at Stripe
# since the backup, and a worker that does not know it could send it again.
set -euo pipefail
umask 077
backup="${1:?: name the backup\'s folder}"
: "${OWNER_DATABASE_URL:?is not set}"
storage="${STORAGE_URL:-}"
database="${OWNER_DATABASE_URL/+psycopg/}"
ask() { psql --no-psqlrc --tuples-only --no-align --dbname "$database" --command "$1"; }

(cd "$backup" && sha256sum --quiet --check SHA256SUMS)

tables="$(ask "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")"
if [ "$tables" != 0 ]; then
  echo "The database has $tables tables: restore into an empty one." >&2
  exit 1
fi
folder=""
if [ -f "$backup/files.tar.gz" ]; then
  case "$storage" in
    "" | s3://*)
      echo "This backup has files: STORAGE_URL must name the folder for them." >&2
      exit 1
      ;;
  esac
  folder="${storage#file://}"
  mkdir -p "$folder"
  if [ -n "$(ls -A "$folder")" ]; then
    echo "$folder is not empty: restore into an empty folder." >&2
    exit 1
  fi
fi

# One transaction: all of it or nothing.
pg_restore --dbname "$database" --no-owner --exit-on-error --single-transaction \
  "$backup/database.dump"
if [ -n "$folder" ]; then
  tar --extract --gzip --file "$backup/files.tar.gz" --directory "$folder"
fi
# Of the catalogues, which are the superuser's, it would only complain.
psql --no-psqlrc --quiet --dbname "$database" --command "SET client_min_messages = error" \
  --command ANALYZE
echo "Restored revision $(ask 'SELECT version_num FROM alembic_version'), made at" \
  "$(sed -n 's/^made_at //p' "$backup/about.txt")."
echo "Start nothing yet: go on with \"After a restore\" in deploy/README.md."
