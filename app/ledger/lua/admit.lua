-- admit: record a job and make it claimable, once.
-- ARGV: id, message_id, digest, max (-1: none), delay_ms, priority, project, field, value, …
-- Returns {admitted|existing|conflict|full, state or depth}
local id, message_id, digest = ARGV[1], ARGV[2], ARGV[3]
local max, delay_ms = tonumber(ARGV[4]), tonumber(ARGV[5])
local job = job_key(id)

local known = redis.call('HMGET', job, 'digest', 'state', 'message_id')
if known[1] then
  -- The same message again: the reply to the first call was lost.
  if known[3] == message_id then return {'admitted', known[2]} end
  if known[1] == digest then return {'existing', known[2]} end
  return {'conflict', known[2]}
end

local live = depth()
if max >= 0 and live >= max then return {'full', tostring(live)} end

-- Strictly increasing, so that paging by it skips and repeats nothing.
local created = stamp()
redis.call('HSET', job, 'message_id', message_id, 'digest', digest, 'priority', ARGV[6],
  'project', ARGV[7], 'created_us', created, 'attempts', '0', 'starts', '0', 'fence', '0',
  unpack(ARGV, 8))
redis.call('ZADD', key('index:all'), created, id)
redis.call('ZADD', key('index:project:' .. ARGV[7]), created, id)
if delay_ms > 0 then
  redis.call('ZADD', key('delayed'), text(now_ms + delay_ms), id)
  redis.call('HSET', job, 'due_at', text(now_ms + delay_ms))
  set_state(id, 'delayed')
  wake()
  return {'admitted', 'delayed'}
end
enqueue(id, created)
return {'admitted', 'queued'}
