-- Counts. Answers the time, discarded messages, runs by the statuses that were asked for, then of each kind and queue: lane, ready, leased,
-- blocked, waiting, the time of the oldest ready one or "".
local now = read_clock()
local answers = { int(now), call("GET", P .. "discarded") or "0" }
for i, status in ipairs(arg()) do
  answers[i + 2] = int(call("ZCARD", P .. "x:s:" .. status))
end

local by_queue = {}
local lanes = call("HGETALL", P .. "lanes")
for i = 1, #lanes, 2 do
  local lane = lanes[i]
  local name = string.sub(lane, 1, 2) .. queue_of(lane)
  local counts = by_queue[name]
  if not counts then
    counts = { lane = lane, ready = 0, oldest = math.huge, ["v:"] = 0, ["l:"] = 0, ["b:"] = 0 }
    by_queue[name] = counts
  end
  for priority in string.gmatch(lanes[i + 1], "[^,]+") do
    for _, set in ipairs({ "v:", "l:", "b:" }) do
      local key = P .. set .. priority .. ":" .. lane
      local ready = call("ZCOUNT", key, "-inf", int(now))
      counts.ready = counts.ready + ready
      counts[set] = counts[set] + call("ZCARD", key) - ready
      if ready > 0 then
        counts.oldest = math.min(counts.oldest, tonumber(call("ZRANGE", key, 0, 0, "WITHSCORES")[2]))
      end
    end
  end
end

for _, counts in pairs(by_queue) do
  answers[#answers + 1] = {
    counts.lane, int(counts.ready), int(counts["l:"]), int(counts["b:"]), int(counts["v:"]),
    counts.oldest < math.huge and int(counts.oldest) or "",
  }
end
return answers
