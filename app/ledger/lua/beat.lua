-- beat: renew the lease, store progress, and say whether the attempt may continue.
-- ARGV: id, fence, lease_ms, phase, frames_done, frames_total
-- Returns go | cancel | stale
local id, fence, lease_ms = ARGV[1], ARGV[2], tonumber(ARGV[3])
local job = job_key(id)
local known = redis.call('HMGET', job, 'state', 'fence', 'cancel_requested')
if known[1] ~= 'active' or known[2] ~= fence then return 'stale' end
redis.call('ZADD', key('active'), text(now_ms + lease_ms), id)
redis.call('HSET', job, 'lease_until', text(now_ms + lease_ms), 'heartbeat_at', text(now_ms),
  'phase', ARGV[4], 'frames_done', ARGV[5], 'frames_total', ARGV[6])
if known[3] then return 'cancel' end
return 'go'
