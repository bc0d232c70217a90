-- A run's inbox. The dedupe id of a message is remembered as e (external, unread), i (internal, unread: forgotten at the ack) or a (external,
-- acknowledged).

-- Forgets some of what was remembered long enough.
local function forget_old(hash, zset, before)
  local old = call("ZRANGEBYSCORE", zset, "-inf", int(before), "LIMIT", 0, 100)
  if #old > 0 then
    call("HDEL", hash, unpack(old))
    call("ZREM", zset, unpack(old))
  end
end

-- Stores a message and wakes the task in one step, so that no wake-up is lost (I11).
local function deliver(run_id, incarnation, dedupe_id, is_external, data, dedupe_ms, now)
  local run = read_run(run_id, incarnation)
  if not run then
    return "unknown"
  end
  local dedupe = P .. "d:" .. run_id
  local is_closed = not run.lane or run.status ~= "open"
  if not is_closed then
    forget_old(dedupe, P .. "dz:" .. run_id, now - dedupe_ms)
  end
  if call("HEXISTS", dedupe, dedupe_id) == 1 then
    return "duplicate"
  end
  if is_closed then
    return "closed"
  end
  local no = int(run.newest + 1)
  call("RPUSH", P .. "m:" .. run_id, no .. " " .. int(now) .. " " .. int(#dedupe_id) .. " " .. dedupe_id .. data)
  call("HSET", dedupe, dedupe_id, is_external and "e" or "i")
  if run.instance then
    call("HSET", run.key, "il", no)
    hint("i", run_id)
  elseif not run.blocked and (not run.visible_at or run.visible_at > now) then
    run.visible_at = now
    call("HSET", run.key, "il", no, "v", int(now))
    place(run)
  else
    call("HSET", run.key, "il", no)
  end
  local at = visible_at(run)
  if at and at <= now then
    hint("q", queue_of(run.lane))
  end
  return "accepted"
end

-- Messages up to a number leave the inbox; the ids of those from outside stay remembered. The caller stores ia.
local function acknowledge(run, up_to, now)
  local count = up_to - run.acked
  if count == 0 then
    return
  end
  local inbox = P .. "m:" .. run.run_id
  local dedupe = P .. "d:" .. run.run_id
  for _, message in ipairs(call("LRANGE", inbox, 0, count - 1)) do
    local length, from = string.match(message, "^%d+ %d+ (%d+) ()")
    local dedupe_id = string.sub(message, from, from + tonumber(length) - 1)
    if call("HGET", dedupe, dedupe_id) == "e" then
      call("HSET", dedupe, dedupe_id, "a")
      call("ZADD", P .. "dz:" .. run.run_id, int(now), dedupe_id)
    else
      call("HDEL", dedupe, dedupe_id)
    end
  end
  call("LTRIM", inbox, count, -1)
  run.acked = up_to
end
