// BullMQ's worker: checks the payload, counts, and its empty job writes down when it started.
"use strict";
const fs = require("node:fs");
const { Worker, UnrecoverableError } = require("bullmq");
const { Counter, Histogram } = require("prom-client");
const { QUEUE, connection, validate } = require("./shared.cjs");

const started = new Counter({ name: "preview_jobs_started_total", help: "started" });
const completed = new Counter({ name: "preview_jobs_completed_total", help: "completed" });
const failed = new Counter({ name: "preview_jobs_failed_total", help: "failed" });
const duration = new Histogram({
  name: "preview_job_duration_seconds",
  help: "duration",
  buckets: [1, 2.5, 5, 10, 15, 20, 30, 45, 60, 75, 90, 120],
});
const stamps = fs.openSync(process.env.BENCH_STAMPS, "a");

const worker = new Worker(
  QUEUE,
  async (job) => {
    const stop = duration.startTimer();
    started.inc();
    if (!validate(job.data)) throw new UnrecoverableError("validation-failed");
    fs.writeSync(stamps, `${job.data.jobId} ${process.hrtime.bigint()}\n`);
    stop();
  },
  { connection, concurrency: Number(process.env.BENCH_CONCURRENCY) },
);
worker.on("completed", () => completed.inc());
worker.on("failed", () => failed.inc());
process.on("SIGTERM", () => worker.close().then(() => process.exit(0)));
