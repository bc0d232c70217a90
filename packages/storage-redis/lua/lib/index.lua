-- Indexes for listing: a run's member begins with its creation, so that byte order is the order of pages.

local function member_of(created_at, run_id)
  return string.format("%015.0f", created_at) .. run_id
end

local function add_to_indexes(names, member)
  for _, name in ipairs(names) do
    call("ZADD", P .. "x:" .. name, 0, member)
  end
end

local function remove_from_indexes(names, member)
  for _, name in ipairs(names) do
    call("ZREM", P .. "x:" .. name, member)
  end
end
