-- still_answer: hand the answer to whoever asked for a still, if somebody still waits.
-- ARGV: id, answer, ms for which the answer is kept
-- Returns 1, or 0 if nobody waits
if not redis.call('GET', key('still:' .. ARGV[1])) then return 0 end
redis.call('DEL', key('still:' .. ARGV[1]))
redis.call('RPUSH', key('still:' .. ARGV[1] .. ':answer'), ARGV[2])
redis.call('PEXPIRE', key('still:' .. ARGV[1] .. ':answer'), ARGV[3])
return 1
