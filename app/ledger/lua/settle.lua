-- settle: end an attempt; only the holder of the current fence may.
-- ARGV: id, fence, outcome (completed|delayed|failed|cancelled|released), delay_ms,
--       retain (0: forget a job that ended), field, value, …
-- Returns {settled|stale|missing, state}
local id, fence, outcome, delay_ms = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local retain = ARGV[5] == '1'
local job = job_key(id)
local known = redis.call('HMGET', job, 'state', 'fence', 'settled', 'cancel_requested',
  'queued_us', 'outcome')
local state = known[1]

if not state then return {'missing', ''} end
-- The same fence again means that the reply to the first call was lost. Give the same answer,
-- whatever has happened to the job since.
if known[3] == fence then return {'settled', known[6] or state} end
if state ~= 'active' or known[2] ~= fence then return {'stale', state} end

-- An acknowledged cancellation takes precedence over the outcome of the attempt.
if known[4] then outcome = 'cancelled' end

redis.call('ZREM', key('active'), id)
redis.call('HSET', job, 'starts', '0', 'settled', fence,
  'outcome', outcome == 'released' and 'queued' or outcome)
if outcome ~= 'released' and outcome ~= 'cancelled' then redis.call('HINCRBY', job, 'attempts', 1) end
if outcome ~= 'cancelled' and ARGV[6] then redis.call('HSET', job, unpack(ARGV, 6)) end

if outcome == 'released' then
  redis.call('HDEL', job, 'lease_until')
  -- An attempt that was not spent does not count as a start.
  if redis.call('HGET', job, 'attempts') == '0' then redis.call('HDEL', job, 'started_us') end
  enqueue(id, known[5])
  return {'settled', 'queued'}
end
if outcome == 'delayed' then
  redis.call('HDEL', job, 'lease_until')
  redis.call('HSET', job, 'due_at', text(now_ms + delay_ms))
  redis.call('ZADD', key('delayed'), text(now_ms + delay_ms), id)
  set_state(id, 'delayed')
  wake()
  return {'settled', 'delayed'}
end
if outcome == 'completed' then redis.call('HDEL', job, 'error') end
finish(id, outcome)
if not retain then
  forget(id)
elseif outcome == 'completed' and redis.call('HEXISTS', job, 'artifacts') == 1 then
  redis.call('ZADD', key('results'), redis.call('HGET', job, 'finished_us'), id)
end
return {'settled', outcome}
