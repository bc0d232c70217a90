# Cleans up behind a process of tests, however that process ends. Standard input stays open as long as it lives, and
# each line names the server that now works in the folder: its process id, or "-" for none.
# usage: keeper.sh <folder> <signal that ends the server at once>
trap "" HUP INT TERM
folder=$1
signal=$2

# One that has ended may stay in the list of processes, where nobody takes notice of it.
runs() {
  kill -0 "$server" && ! grep -qs "^State:.Z" "/proc/$server/status"
}

server=-
while read -r line; do server=$line; done

if [ "$server" != - ]; then
  kill -s "$signal" "$server"
  tries=0
  while runs && [ $tries -lt 100 ]; do
    sleep 0.05
    tries=$((tries + 1))
  done
  runs && kill -s KILL "$server"
fi

# A PostgreSQL that was killed leaves this file, and the shared memory that its seventh line names.
if [ -f "$folder/data/postmaster.pid" ]; then
  ipcrm -m "$(awk 'NR == 7 { print $2 }' "$folder/data/postmaster.pid")"
fi

# Processes of a server that was killed may still write for a moment.
tries=0
until rm -rf "$folder" || [ $tries -ge 50 ]; do
  sleep 0.1
  tries=$((tries + 1))
done
