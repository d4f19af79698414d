// What client, worker and server of the BullMQ side have in common.
"use strict";
const fs = require("node:fs");
const Ajv = require("ajv/dist/2020");
const addFormats = require("ajv-formats");

const { hostname, port } = new URL(process.env.REDIS_URL);
const schema = JSON.parse(fs.readFileSync(process.env.BENCH_SCHEMA, "utf8"));
const ajv = new Ajv({ allErrors: true, strict: false });
addFormats(ajv);

module.exports = {
  QUEUE: "preview-jobs",
  connection: { host: hostname, port: Number(port) },
  // As in production: a repeated jobId is the same job, and a failure is retried.
  optionsOf: (payload) => ({
    jobId: payload.jobId,
    attempts: 5,
    backoff: { type: "exponential", delay: 1000 },
  }),
  validate: ajv.compile(schema),
};
