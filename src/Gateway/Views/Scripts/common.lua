-- What a copy has is kept as text beside it, "version|key=version,key=version": its own version, and which facts it has.
local function read(text)
  local map = {}
  for key, version in string.gmatch(text or '', '([^=,|]+)=(%d+)') do map[key] = tonumber(version) end
  return map
end

-- Only what a fact told and the copy does not have yet stays marked.
local function mark(view, part, told, have)
  local left = {}
  for key, version in pairs(told) do
    if version > (have[key] or 0) then left[#left + 1] = key .. '=' .. version end
  end
  if #left == 0 then
    redis.call('HDEL', view, part .. '!')
  else
    redis.call('HSET', view, part .. '!', table.concat(left, ','))
  end
end

-- Readers look at one field, whichever parts they read.
local function sum_up(view)
  local marked = {}
  for _, part in ipairs({'order', 'returns', 'payment', 'documents', 'shipments', 'notifications'}) do
    if redis.call('HEXISTS', view, part .. '!') == 1 then marked[#marked + 1] = part end
  end
  if #marked == 0 then
    redis.call('HDEL', view, '!')
  else
    redis.call('HSET', view, '!', table.concat(marked, ','))
  end
end
