-- begin: grant the right to run a claimed job.
-- ARGV: id, fence, lease_ms, max_starts, error of a job that loses too many workers (JSON),
--       retain (0: forget a job that ended)
-- Returns {granted, attempts already spent, max_attempts, queued_us, now_us} or {refusal}
-- What it ends itself counts as settled: whoever lost the reply learns from settle what it came to.
local id, fence, lease_ms, max_starts = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local job = job_key(id)
local known = redis.call('HMGET', job, 'state', 'fence', 'begun', 'starts', 'attempts',
  'queued_us', 'cancel_requested', 'max_attempts')
local state = known[1]

if not state then return {'missing'} end
if state == 'completed' or state == 'failed' or state == 'cancelled' then return {'ended', state} end
if state ~= 'active' or known[2] ~= fence then return {'stale', state} end
if known[3] ~= fence then
  if known[7] then
    redis.call('ZREM', key('active'), id)
    redis.call('HSET', job, 'settled', fence, 'outcome', 'cancelled')
    finish(id, 'cancelled')
    if ARGV[6] == '0' then forget(id) end
    return {'cancelled'}
  end
  -- Starts without an end: each is a worker that died with this job.
  if tonumber(known[4]) >= max_starts then
    redis.call('ZREM', key('active'), id)
    redis.call('HSET', job, 'settled', fence, 'outcome', 'failed', 'error', ARGV[5])
    finish(id, 'failed')
    if ARGV[6] == '0' then forget(id) end
    return {'lost'}
  end
  redis.call('HINCRBY', job, 'starts', 1)
  redis.call('HSET', job, 'begun', fence)
end
redis.call('ZADD', key('active'), text(now_ms + lease_ms), id)
redis.call('HSETNX', job, 'started_us', text(now_us))
redis.call('HSET', job, 'lease_until', text(now_ms + lease_ms), 'heartbeat_at', text(now_ms),
  'phase', 'preparing', 'frames_done', '0', 'frames_total', '0')
return {'granted', known[5], known[8], known[6], text(now_us)}
