-- KEYS: the view. ARGV: a new token, milliseconds to live.
-- A reader is about to ask the services. From here on the view exists, so a fact that arrives while the reader is away
-- leaves its mark instead of finding nothing to mark.
redis.call('HSETNX', KEYS[1], 'born', ARGV[1])
if redis.call('HLEN', KEYS[1]) == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return redis.call('HGET', KEYS[1], 'born')
