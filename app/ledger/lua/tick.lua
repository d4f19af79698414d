-- tick: allow one run of a cron task per minute, to the first caller.
-- ARGV: name, token of the run
-- Returns 1 (run it) or 0 (it ran already)
local known = redis.call('HMGET', key('tick:' .. ARGV[1]), 'at', 'token')
-- The same token again: the reply to the first call was lost.
if known[2] == ARGV[2] then return 1 end
local last = tonumber(known[1] or '-60')
local now = math.floor(now_ms / 1000)
-- Schedulers' clocks differ by seconds: two that straddle a full minute are still one tick.
-- A time to come is of a clock that has been set back since.
if last <= now and (now - last < 30 or math.floor(now / 60) == math.floor(last / 60)) then
  return 0
end
redis.call('HSET', key('tick:' .. ARGV[1]), 'at', text(now), 'token', ARGV[2])
return 1
