-- What every script begins with. KEYS[1] is the prefix of the shard's keys (never a key itself) and KEYS[2] its clock: while a slot moves to
-- another node, one of two declared keys is missing, and Redis refuses the script before it runs. All other keys are the prefix and a name.
-- ARGV: the channel of hints, the latest time that the caller knows, how far ahead of TIME the clock is (tests), the verb's own arguments, and
-- then one element of the batch each: the last two as JSON. That costs less than as many single arguments, on both sides.
-- Numbers become text by int() only: tostring() and .. lose digits.
local P = KEYS[1]
local call = redis.call
local values = cjson.decode(ARGV[4])
local position = 0

local function arg()
  position = position + 1
  return values[position]
end

-- Nothing is null.
local function optional_arg()
  local value = arg()
  if value ~= cjson.null then
    return value
  end
end

-- The elements of the batch, one after the other: the number of each, and what it is. arg() reads those that are lists.
local function elements()
  local count = #ARGV - 4
  local number = 0
  return function()
    if number < count then
      number = number + 1
      values = cjson.decode(ARGV[4 + number])
      position = 0
      return number, values
    end
  end
end

local function int(number)
  return string.format("%.0f", number)
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
