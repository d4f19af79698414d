-- still_ask: let a request for a still wait, if a worker draws stills and not too many wait.
-- ARGV: id, request, ms after which nobody waits for it, most requests that wait
-- Returns waiting | full | absent
if not redis.call('GET', key('stills:slot')) then return 'absent' end
local overdue = redis.call('ZRANGEBYSCORE', key('stills'), '-inf', text(now_ms))
for _, id in ipairs(overdue) do redis.call('ZREM', key('stills'), id) end
if redis.call('ZCARD', key('stills')) >= tonumber(ARGV[4]) then return 'full' end
redis.call('SET', key('still:' .. ARGV[1]), ARGV[2], 'PX', ARGV[3])
redis.call('ZADD', key('stills'), text(now_ms + tonumber(ARGV[3])), ARGV[1])
if redis.call('LLEN', key('stills:wake')) == 0 then redis.call('RPUSH', key('stills:wake'), '1') end
return 'waiting'
