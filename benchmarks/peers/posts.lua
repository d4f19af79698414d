-- wrk's script: POSTs of distinct jobs. BENCH_BODY is the body, with @ID@ for the jobId.
local body = os.getenv("BENCH_BODY")
local from, to = body:find("@ID@", 1, true)
local before, after = body:sub(1, from - 1) .. os.getenv("BENCH_PREFIX"), body:sub(to + 1)
local headers = { ["Content-Type"] = "application/json" }
local number = 0

function request()
  number = number + 1
  return wrk.format("POST", "/api/preview/job", headers, before .. number .. after)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"per_second": %.1f, "p50": %.3f, "p99": %.3f, "refused": %d}\n',
    summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
