-- KEYS: the view. ARGV: field, answer, then of each part that the answer was put together of: name, head.
-- An answer is there only while it says what the parts say: who replaces or marks one takes it away.
local fields = {'!'}
for i = 3, #ARGV, 2 do fields[#fields + 1] = ARGV[i] end
local kept = redis.call('HMGET', KEYS[1], unpack(fields))
if kept[1] then return 0 end
for i = 2, #fields do
  if kept[i] ~= ARGV[2 * i] then return 0 end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
