/** KEYS: what all keys begin with. ARGV: the set of waiting tasks, now, so many, the end of the lease, the worker's instance. */
export const CLAIM = `
  local P, set = KEYS[1], ARGV[1]
  local ids = redis.call("ZRANGEBYSCORE", P .. "v:" .. set, "-inf", ARGV[2], "LIMIT", 0, ARGV[3])
  if #ids == 0 then return {} end
  local claimed, leases = {}, {}
  for i, id in ipairs(ids) do
    local run_id = string.match(id, ":(.*)$")
    local key = P .. "r:" .. run_id
    local f = redis.call("HMGET", key, "ep", "e", "i", "t", "k", "b", "il", "ia", "s", "c", "sh")
    local epoch = string.format("%.0f", (tonumber(f[1]) or 0) + 1)
    redis.call("HSET", key, "ep", epoch, "li", ARGV[5], "lw", "floor", "lu", ARGV[4], "dl", "1")
    claimed[i] = { run_id, epoch, f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9], f[10], f[11],
      redis.call("LRANGE", P .. "e:" .. run_id, 0, -1) }
    leases[2 * i - 1] = ARGV[4]
    leases[2 * i] = id
  end
  redis.call("ZREM", P .. "v:" .. set, unpack(ids))
  redis.call("ZADD", P .. "l:" .. set, unpack(leases))
  redis.call("SADD", P .. "h:" .. ARGV[5], unpack(ids))
  return claimed`;

/** ARGV, of each run: its id, epoch, head, commit id, event. Answers for how many it has written: for all, or none. */
export const COMMIT = `
  local P = KEYS[1]
  for i = 1, #ARGV, 5 do
    local f = redis.call("HMGET", P .. "r:" .. ARGV[i], "ep", "e")
    if f[1] ~= ARGV[i + 1] or f[2] ~= ARGV[i + 2] then return 0 end
  end
  for i = 1, #ARGV, 5 do
    redis.call("RPUSH", P .. "e:" .. ARGV[i], ARGV[i + 4])
    redis.call("HSET", P .. "r:" .. ARGV[i], "k", ARGV[i + 3], "e", string.format("%.0f", ARGV[i + 2] + 1), "dl", "0")
  end
  return #ARGV / 5`;

/** ARGV: the set of tasks, now, the worker's instance, the output of all, the last event of all, then what {@link COMMIT} is given. */
export const CLOSE = `
  local P, set, now, instance, output, last = KEYS[1], unpack(ARGV, 1, 5)
  local members, ids = {}, {}
  for i = 6, #ARGV, 5 do
    local f = redis.call("HMGET", P .. "r:" .. ARGV[i], "ep", "e", "c", "n")
    if f[1] ~= ARGV[i + 1] or f[2] ~= ARGV[i + 2] then return 0 end
    members[#members + 1] = string.format("%015.0f", f[3]) .. ARGV[i]
    ids[#ids + 1] = f[4] .. ":" .. ARGV[i]
  end
  local completed, closed = {}, {}
  for i = 6, #ARGV, 5 do
    local key = P .. "r:" .. ARGV[i]
    redis.call("RPUSH", P .. "e:" .. ARGV[i], ARGV[i + 4], last)
    redis.call("HSET", key, "k", ARGV[i + 3], "e", string.format("%.0f", ARGV[i + 2] + 2), "t", "completed", "z", now, "o", output)
    redis.call("HDEL", key, "l", "p", "d", "ep", "li", "lw", "lu", "v", "dl", "bl", "ia", "il")
    completed[#completed + 1] = 0
    completed[#completed + 1] = members[(i - 1) / 5]
    closed[#closed + 1] = now
    closed[#closed + 1] = ARGV[i]
  end
  redis.call("ZREM", P .. "l:" .. set, unpack(ids))
  redis.call("SREM", P .. "h:" .. instance, unpack(ids))
  redis.call("ZREM", P .. "x:s:open", unpack(members))
  redis.call("ZADD", P .. "x:s:completed", unpack(completed))
  redis.call("ZADD", P .. "x:c", unpack(closed))
  return #ids`;
