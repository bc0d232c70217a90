-- What every script begins with. KEYS[1] is the prefix of the shard's keys (never a key itself) and KEYS[2] its clock: while a slot moves to
-- another node, one of two declared keys is missing, and Redis refuses the script before it runs. All other keys are the prefix and a name.
-- ARGV: the channel of hints, the latest time that the caller knows, how far ahead of TIME the clock is (tests), then the verb's own.
-- Numbers become text by int() only: tostring() and .. lose digits.
local P = KEYS[1]
local call = redis.call
local position = 3

local function arg()
  position = position + 1
  return ARGV[position]
end

local function numeric_arg()
  return tonumber(arg())
end

-- A payload that may be absent: a flag, then the payload.
local function optional_arg()
  local is_there = arg() == "1"
  local value = arg()
  return is_there and value or nil
end

local function list_arg()
  local list = {}
  for i = 1, numeric_arg() do
    list[i] = arg()
  end
  return list
end

local function int(number)
  return string.format("%.0f", number)
end

-- Calls a command that takes any number of values, in pieces that Lua can unpack.
local function call_in_pieces(command, key, values)
  for from = 1, #values, 4000 do
    call(command, key, unpack(values, from, math.min(from + 3999, #values)))
  end
end

-- The store's clock: it never goes back, whatever became of the machine's.
local function read_clock()
  local time = call("TIME")
  local machine = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(ARGV[3])
  return math.max(machine, tonumber(call("GET", P .. "clock") or "0"), tonumber(ARGV[2]))
end

-- The same for a script that writes. It is the first write, so that a server without memory refuses the script before anything was written.
local function tick()
  local now = read_clock()
  call("SET", P .. "clock", int(now))
  return now
end

local topics = {}
local is_told = {}

local function hint(of, name)
  local topic = of .. name
  if is_told[topic] then
    return
  end
  is_told[topic] = true
  topics[#topics + 1] = topic
end

-- Hints are the last thing of a script, and never fail it.
local function publish_hints()
  if #topics > 0 then
    redis.pcall("PUBLISH", ARGV[1], cjson.encode(topics))
  end
end
