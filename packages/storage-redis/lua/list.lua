-- One page of runs, newest first. How many at most, how many to look at, the bounds (newest and oldest, as ZREVRANGEBYLEX takes them), statuses, indexes that
-- a run must stand in, whether it must be blocked or must not. Answers where to go on ("" at the end), then of each run its member and fields.
local wanted, budget, newest, oldest, statuses, filters, blocked = arg(), arg(), arg(), arg(), arg(), arg(), optional_arg()
local PIECE = 100
local answers = { "" }

if blocked then
  filters[#filters + 1] = "b"
end

-- The smallest index that has all that can match, or those of the statuses, which have no run in common.
local function driving_indexes()
  local least = 0
  for _, status in ipairs(statuses) do
    least = least + call("ZCARD", P .. "x:s:" .. status)
  end
  local driver
  for _, name in ipairs(filters) do
    local size = call("ZCARD", P .. "x:" .. name)
    if size <= least then
      driver, least = name, size
    end
  end
  if driver then
    return { driver }, true
  end
  local indexes = {}
  for i, status in ipairs(statuses) do
    indexes[i] = "s:" .. status
  end
  return indexes, false
end

-- Whether a member comes before another, newest first. By bytes: the comparison of Lua follows the server's locale.
local function is_before(one, other)
  for i = 1, math.min(#one, #other) do
    local a, b = string.byte(one, i), string.byte(other, i)
    if a ~= b then
      return a > b
    end
  end
  return #one > #other
end

local function head_of(source)
  if source.next > #source.members and not source.is_read then
    source.members = call("ZREVRANGEBYLEX", source.key, source.from, oldest, "LIMIT", 0, PIECE)
    source.next = 1
    source.is_read = #source.members < PIECE
    if #source.members > 0 then
      source.from = "(" .. source.members[#source.members]
    end
  end
  return source.members[source.next]
end

local indexes, by_filter = driving_indexes()
local is_wanted_status = {}
for _, status in ipairs(statuses) do
  is_wanted_status[status] = true
end
local sources = {}
for i, name in ipairs(indexes) do
  sources[i] = { key = P .. "x:" .. name, from = newest, members = {}, next = 1, is_read = false, name = name }
end

local function matches(member, driver)
  for _, name in ipairs(filters) do
    if name ~= driver and not call("ZSCORE", P .. "x:" .. name, member) then
      return false
    end
  end
  return blocked ~= false or not call("ZSCORE", P .. "x:b", member)
end

local looked_at = 0
while #answers <= wanted do
  local first, source
  for _, candidate in ipairs(sources) do
    local member = head_of(candidate)
    if member and (not first or is_before(member, first)) then
      first, source = member, candidate
    end
  end
  if not first then
    break
  end
  source.next = source.next + 1
  looked_at = looked_at + 1
  if matches(first, source.name) then
    local f = call(
      "HMGET", P .. "r:" .. string.sub(first, 16),
      "n", "s", "c", "t", "z", "a", "l", "li", "lw", "lu", "v", "ep", "dl", "bl", "ia", "il"
    )
    if not by_filter or is_wanted_status[f[4]] then
      answers[#answers + 1] = { first, f }
    end
  end
  if looked_at == budget then
    answers[1] = first
    break
  end
end
return answers
