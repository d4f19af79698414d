-- tick: let one run of a cron task through a minute, whoever asks first.
-- ARGV: name
-- Returns 1 (run it) or 0 (it ran already)
local last = tonumber(redis.call('GET', key('tick:' .. ARGV[1])) or '-60')
local now = math.floor(now_ms / 1000)
-- Schedulers' clocks differ by seconds: two that straddle a full minute are still one tick.
if now - last < 30 or math.floor(now / 60) == math.floor(last / 60) then return 0 end
redis.call('SET', key('tick:' .. ARGV[1]), text(now))
return 1
