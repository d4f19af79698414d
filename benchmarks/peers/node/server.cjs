// Express + BullMQ: POST /api/preview/job, in BENCH_PROCESSES processes of a cluster.
"use strict";
const cluster = require("node:cluster");
const express = require("express");
const { Queue } = require("bullmq");
const { Counter } = require("prom-client");
const { QUEUE, connection, optionsOf, validate } = require("./shared.cjs");

function serve() {
  const accepted = new Counter({ name: "preview_jobs_accepted_total", help: "accepted" });
  const invalid = new Counter({ name: "preview_jobs_invalid_total", help: "invalid" });
  const queue = new Queue(QUEUE, { connection });
  const app = express();
  app.use(express.json({ limit: "1mb" }));
  app.post("/api/preview/job", async (request, response) => {
    const payload = request.body;
    if (!validate(payload)) {
      invalid.inc();
      response.status(400).json({ errors: validate.errors });
      return;
    }
    await queue.add("preview", payload, optionsOf(payload));
    accepted.inc();
    const base = `/api/preview/job/${payload.jobId}`;
    response.status(202).json({
      jobId: payload.jobId,
      status: "queued",
      links: { status: `${base}/status`, artifact: `${base}/artifact`, cancel: `${base}/cancel` },
    });
  });
  app.listen(Number(process.env.PORT), "127.0.0.1");
}

const processes = Number(process.env.BENCH_PROCESSES);
if (processes > 1 && cluster.isPrimary) {
  for (let number = 0; number < processes; number++) cluster.fork();
} else {
  serve();
}
