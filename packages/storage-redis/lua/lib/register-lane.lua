-- The lanes that there are.

local lane_priorities = {}

-- A lane is known by its priorities, so that a claim finds its sets. Purge forgets those that are empty.
local function register_lane(lane, priority)
  local known = lane_priorities[lane] or call("HGET", P .. "lanes", lane) or ","
  if not string.find(known, "," .. priority .. ",", 1, true) then
    known = known .. priority .. ","
    call("HSET", P .. "lanes", lane, known)
  end
  lane_priorities[lane] = known
end
