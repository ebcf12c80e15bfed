-- What a copy has is kept as text beside it, "version|key=version,key=version": its own version, and which facts it has.
local function read(text)
  local map = {}
  for key, version in string.gmatch(text or '', '([^=,|]+)=(%d+)') do map[key] = tonumber(version) end
  return map
end

-- All parts put together, for each class that has it: gone as soon as one of them is replaced or marked.
local answers = {'answer:staff', 'answer:shopper'}

-- Of what facts told, that which the copy does not have yet: only that stays marked. Empty: nothing.
local function missing(told, have)
  local left = {}
  for key, version in pairs(told) do
    if version > (have[key] or 0) then left[#left + 1] = key .. '=' .. version end
  end
  return table.concat(left, ',')
end

-- Readers look at one field, whichever parts they read.
local function sum_up(view)
  local parts = {'order', 'returns', 'payment', 'documents', 'shipments', 'notifications'}
  local marks = redis.call('HMGET', view, 'order!', 'returns!', 'payment!', 'documents!', 'shipments!', 'notifications!')
  local marked = {}
  for i, part in ipairs(parts) do
    if marks[i] then marked[#marked + 1] = part end
  end
  if #marked == 0 then
    redis.call('HDEL', view, '!')
  else
    redis.call('HSET', view, '!', table.concat(marked, ','))
  end
end
