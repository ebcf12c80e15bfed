-- KEYS: the view. ARGV: the token that the reader saw, milliseconds to live, then part, versions and copy of each part.
-- Versions never go back, whoever writes last. Another token means that the view was lost in between, and with it perhaps
-- a mark: then the copy is kept, so that none older comes after it, but in doubt ('?'), until a reader who asked after the
-- view was born again brings one that is as new.
local born = redis.call('HGET', KEYS[1], 'born')
if not born then return 0 end
local sure = born == ARGV[1]
local stored = 0
for i = 3, #ARGV, 3 do
  local part, versions, copy = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local old = redis.call('HGET', KEYS[1], part .. '#')
  local have, had = read(old)
  local told = read(redis.call('HGET', KEYS[1], part .. '!'))
  local brought, sum = read(versions)
  if not old or sum > had or (sum == had and sure) then
    redis.call('HSET', KEYS[1], part, copy, part .. '#', versions)
    have = brought
    told['?'] = not sure and 1 or nil
    stored = stored + 1
  end
  mark(KEYS[1], part, told, have)
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return stored
