-- purge: delete a dead letter.
-- ARGV: id
-- Returns purged | missing | live | ended
local state = redis.call('HGET', job_key(ARGV[1]), 'state')
if not state then return 'missing' end
if state == 'completed' or state == 'cancelled' then return 'ended' end
if state ~= 'failed' then return 'live' end
forget(ARGV[1])
return 'purged'
