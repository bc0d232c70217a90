-- Deletes runs that are done, with all that belongs to them. Of each: id, incarnation, indexes. Answers of each whether it is gone by this. It writes no clock,
-- so that it also works on a server without memory.
local answers = {}

local function purge(run_id, incarnation, indexes)
  local key = P .. "r:" .. run_id
  local f = call("HMGET", key, "n", "l", "t", "c", "ax", "dc")
  if f[1] ~= incarnation or f[2] or f[3] == "open" then
    return "0"
  end
  for _, cached in ipairs(call("SMEMBERS", P .. "rk:" .. run_id)) do
    local entry = P .. "c:" .. cached
    if call("HGET", entry, "o") == incarnation .. ":" .. run_id then
      call("DEL", entry)
    end
  end
  local member = member_of(f[4], run_id)
  remove_from_indexes(indexes, member)
  remove_from_indexes({ "s:" .. f[3] }, member)
  if f[5] then
    remove_from_indexes(cjson.decode(f[5]), member)
  end
  call("ZREM", P .. "x:c", run_id)
  if f[6] and call("DECRBY", P .. "discarded", f[6]) <= 0 then
    call("DEL", P .. "discarded")
  end
  call("UNLINK", key, P .. "e:" .. run_id, P .. "d:" .. run_id, P .. "dz:" .. run_id, P .. "rk:" .. run_id)
  return "1"
end

local function forget_empty_lanes()
  local lanes = call("HGETALL", P .. "lanes")
  for i = 1, #lanes, 2 do
    local is_empty = true
    for priority in string.gmatch(lanes[i + 1], "[^,]+") do
      local name = priority .. ":" .. lanes[i]
      is_empty = is_empty and call("EXISTS", P .. "v:" .. name, P .. "l:" .. name, P .. "b:" .. name) == 0
    end
    if is_empty then
      call("HDEL", P .. "lanes", lanes[i])
    end
  end
end

for i in elements() do
  answers[i] = purge(arg(), arg(), arg())
end
forget_empty_lanes()
return answers
