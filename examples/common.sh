# What the examples have in common: where they run, how a command is printed, what must be there.
#
# Each examples/NAME/run.sh sets `name` and reads this file. The commands run in the folder above
# examples, so that all of them share the node, the models and the texts that were encoded.
# SEEALSO and PYTHON name the programs, SEEALSO_CLUSTER__URL a cluster instead of the embedded node.
cd "$(dirname "$0")/../.."
config=examples/$name/seealso.toml
work=.seealso/examples/$name
program=${SEEALSO:-seealso}
python=${PYTHON:-python3}
mkdir -p "$work"

# say TEXT: what comes next, as a comment between the commands
say() { printf '\n# %s\n' "$@"; }

# shown WORD...: a command as one would type it
shown() {
    printf '$'
    for word in "$@"; do
        case $word in
            '' | *[!A-Za-z0-9_./:=,@%+-]*)
                printf " '%s'" "$(printf '%s' "$word" | sed "s/'/'\\\\''/g")" ;;
            *) printf ' %s' "$word" ;;
        esac
    done
    printf '\n'
}

# ask ARGUMENT...: seealso with the settings of this example
ask() {
    shown seealso "$@"
    "$program" --config "$config" "$@"
}

# ask_into FILE ARGUMENT...: the same, with the answer in a file
ask_into() {
    file=$1
    shift
    printf '%s > %s\n' "$(shown seealso "$@")" "$file"
    "$program" --config "$config" "$@" >"$file"
}

# py ARGUMENT...: a script of this example
py() {
    shown python "$@"
    "$python" "$@"
}

# need_folder NAME VALUE FILE: end with one line unless VALUE is a folder that holds FILE
need_folder() {
    if [ -z "$2" ] || [ ! -f "$2/$3" ]; then
        echo "make example-$name needs $1=DIR, a folder with $3: see examples/$name/README.md" >&2
        exit 2
    fi
}

# need_model SOURCE...: make the bundle of the settings from SOURCE unless it is there
need_model() {
    "$program" --config "$config" model show >/dev/null 2>&1 || ask model export "$@"
}

# need_users_key: pseudonyms want a key, and the same one whenever the example runs again
need_users_key() {
    key=.seealso/examples/users.key
    if [ -z "${SEEALSO_USERS_KEY:-}" ]; then
        [ -s "$key" ] || (umask 077 && "$python" -c 'import secrets; print(secrets.token_hex(32))' >"$key")
        SEEALSO_USERS_KEY=$(cat "$key")
    fi
    export SEEALSO_USERS_KEY
}

# start_node: the embedded node, unless a cluster is named
start_node() {
    echo "# seealso stands for: $program --config $config"
    [ -n "${SEEALSO_CLUSTER__URL:-}" ] || ask node start
}
