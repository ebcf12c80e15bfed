-- KEYS: the view. ARGV: part, head, class of visibility, copy.
-- A copy for another class, made of the part with this head: of no use once the part is another.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1] .. ':' .. ARGV[3], ARGV[4])
return 1
