-- A part's versions are kept as text, "key=version,key=version": one key for the order and the payment, one a shipment.
local function read(text)
  local map, sum = {}, 0
  for key, version in string.gmatch(text or '', '([^=,]+)=(%d+)') do
    map[key] = tonumber(version)
    sum = sum + tonumber(version)
  end
  return map, sum
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
