-- cancel: cancel a waiting job, or ask the worker of a running one to stop.
-- ARGV: id
-- Returns {cancelled|already|requested|ended|missing, state}
local id = ARGV[1]
local job = job_key(id)
local known = redis.call('HMGET', job, 'state', 'priority')
local state = known[1]
if not state then return {'missing', ''} end
if state == 'cancelled' then return {'already', state} end
if state == 'completed' or state == 'failed' then return {'ended', state} end
if state == 'active' then
  redis.call('HSET', job, 'cancel_requested', text(now_ms))
  return {'requested', state}
end
redis.call('ZREM', key('waiting:' .. known[2]), id)
redis.call('ZREM', key('delayed'), id)
finish(id, 'cancelled')
return {'cancelled', 'cancelled'}
