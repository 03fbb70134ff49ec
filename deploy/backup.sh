#!/usr/bin/env bash
# Writes one backup: the database as pg_dump's custom format, the stored files, and a manifest.
#   OWNER_DATABASE_URL=… STORAGE_URL=… BACKUP_DIR=… deploy/backup.sh
# Prints the folder it made. The folder appears whole or not at all. Keys are not in it: keep
# ENCRYPTION_KEYS, PSEUDONYM_KEY and SECRET_KEY elsewhere, or nobody can read it.
set -euo pipefail
umask 077
: "${OWNER_DATABASE_URL:?is not set}" "${BACKUP_DIR:?is not set}"
storage="${STORAGE_URL:-}"
keep_days="${BACKUP_KEEP_DAYS:-30}"
[[ "$keep_days" =~ ^[0-9]+$ ]] || { echo "BACKUP_KEEP_DAYS must be a whole number." >&2; exit 2; }
# pg_dump knows no drivers.
database="${OWNER_DATABASE_URL/+psycopg/}"

at="$(date --utc +%Y-%m-%dT%H-%M-%SZ)"
draft="$BACKUP_DIR/.$at.part"
mkdir -p "$BACKUP_DIR" && mkdir "$draft"
trap 'rm -rf -- "$draft"' EXIT

# The database first: each file was stored before the row that names it, so all that the dump names
# is in the store by now.
pg_dump --dbname "$database" --format custom --compress 6 --lock-wait-timeout 60s \
  --file "$draft/database.dump"
pg_restore --list "$draft/database.dump" >/dev/null

case "$storage" in
  s3://*) echo "The files are in $storage: its versioning keeps them." >"$draft/files.txt" ;;
  "") echo "STORAGE_URL was not set: no files were kept." >"$draft/files.txt" ;;
  *)
    folder="${storage#file://}"
    if [ -d "$folder" ]; then
      # A file that is being written has another name yet; one that is deleted meanwhile is gone.
      tar --create --gzip --file "$draft/files.tar.gz" --directory "$folder" \
        --warning=no-file-changed --warning=no-file-removed --ignore-failed-read .
    else
      echo "$folder does not exist yet: there were no files." >"$draft/files.txt"
    fi
    ;;
esac

{
  echo "made_at $at"
  echo "revision $(psql --no-psqlrc --tuples-only --no-align --dbname "$database" \
    --command 'SELECT version_num FROM alembic_version')"
  pg_dump --version
} >"$draft/about.txt"
(cd "$draft" && sha256sum -- * >SHA256SUMS)
mv "$draft" "$BACKUP_DIR/$at"
trap - EXIT

# Old ones go only after a new one is whole.
find "$BACKUP_DIR" -mindepth 1 -maxdepth 1 -type d -name '20??-??-??T??-??-??Z' \
  -mtime "+$keep_days" -exec rm -rf -- {} +
echo "$BACKUP_DIR/$at"
