-- tick: allow one run of a cron task per minute, to the first caller.
-- ARGV: name, token of the run
-- Returns 1 (run it) or 0 (it ran already)
local known = redis.call('HMGET', key('tick:' .. ARGV[1]), 'at', 'token')
-- The same token again: the reply to the first call was lost.
if known[2] == ARGV[2] then return 1 end
local last = tonumber(known[1] or '-60')
local now = math.floor(now_ms / 1000)
-- Clocks of schedulers differ by seconds. Two calls around a full minute are still one tick.
-- A time in the future means that the clock was set back.
if last <= now and (now - last < 30 or math.floor(now / 60) == math.floor(last / 60)) then
  return 0
end
redis.call('HSET', key('tick:' .. ARGV[1]), 'at', text(now), 'token', ARGV[2])
return 1
