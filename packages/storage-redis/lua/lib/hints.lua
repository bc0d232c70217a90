-- Whom a script wakes: the topics that it publishes at its end.

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
