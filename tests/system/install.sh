#!/usr/bin/env bash
# Installs the real programs that tests/system starts. Only what is missing, only on Debian, only as root;
# anywhere else the tests skip and say so.
set -euo pipefail

if [ "$(id -u)" -ne 0 ] || [ ! -e /etc/debian_version ] || ! command -v apt-get >/dev/null; then
  echo "tests/system: not root on Debian, so system tests will skip / Debian の root ではないため省略されます"
  exit 0
fi

installed() { dpkg-query -W -f='${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed; }

missing=()
for package in postgresql openssh-server openssh-client sshpass rsyslog rsyslog-openssl python3-yaml chromium fonts-noto-cjk nginx-light mariadb-server; do
  installed "$package" || missing+=("$package")
done

# pgAudit is packaged per major version: the newest server here, or Debian's own where there is none yet.
pgaudit_package() {
  local version
  version=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null | sort -n | tail -1)
  if [ -z "$version" ]; then
    version=$(apt-cache depends postgresql | sed -n 's/.*Depends: postgresql-\([0-9]\{1,\}\)$/\1/p' | head -1)
  fi
  echo "postgresql-${version:-15}-pgaudit"
}
pgaudit=$(pgaudit_package)

if [ ${#missing[@]} -eq 0 ] && installed "$pgaudit"; then
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
pgaudit=$(pgaudit_package)
installed "$pgaudit" || missing+=("$pgaudit")
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
